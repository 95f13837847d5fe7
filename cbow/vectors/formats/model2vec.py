"""The folder of model2vec, as its ``StaticModel.from_pretrained`` reads it.

    model.safetensors   embeddings (V, N); of a model with fewer rows than words also mapping (V,),
                        the row of each word, and weights (V,), by which the rows are multiplied
    tokenizer.json      the words and their numbers, as the tokenizers library has them
    config.json         settings of model2vec; not read

Read are also float16 and int8, which become float32, and sentence-transformers' name for the
matrix, embedding.weight. Tokens that stand for no word ([PAD], [UNK]) are left out and counted.

Written are the words as a vocabulary of whole words, between which is white space, and in the last
row zeros for whatever else occurs, which model2vec leaves out: every word is encoded as its own
vector. Text must be split into words and lower-cased as the words are.
Source: https://github.com/MinishLab/model2vec (``model2vec/persistence``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cbow.errors import ModelFileError
from cbow.system import safetensors_file
from cbow.system.arrays import Floats
from cbow.system.files import check_regular, replacing_folder
from cbow.vectors.formats.base import (
    Contents,
    Format,
    Options,
    Source,
    checked,
    explained,
    is_table,
    most_bytes,
    too_much,
)

MODEL, TOKENIZER, CONFIG = MEMBERS = "model.safetensors", "tokenizer.json", "config.json"

#: What the matrix is called by model2vec, and by sentence-transformers.
MATRICES: Final = "embeddings", "embedding.weight"

#: What words are called that are not there, unless it is a word itself.
UNKNOWN: Final = "[UNK]"


#: Characters of what is said of JSON: it quotes the file.
MOST_SAID: Final = 99


def inside(path: Path) -> Path | None:
    """Return the folder with the files, which may lie one deeper; None if there is none."""
    for folder in (path, path / "0_StaticEmbedding"):
        if all(os.path.exists(folder / member) for member in (MODEL, TOKENIZER)):
            return folder
    return None


def recognise(source: Source) -> bool:
    """Return whether a folder is one of model2vec.

    Raises
    ------
    ModelFileError
        If it is another folder, or a file that belongs into one of model2vec.
    """
    path = source.path
    if source.is_folder:
        if inside(path):
            return True
        if (path / "vocab" / "vectors").exists():
            raise ModelFileError(
                f"{path} cannot be read: it is a pipeline of spaCy; write its vectors as .npz"
            )
        raise ModelFileError(
            f"{path} is a folder without {MODEL} and {TOKENIZER}; give a file, or a folder that "
            "model2vec wrote"
        )
    if source.like_safetensors:
        tensors, metadata = source.safetensors
        if "cbow" not in metadata and not set(tensors).isdisjoint(MATRICES):
            raise ModelFileError(
                f"{path} holds vectors without words, as a folder of model2vec does; give the "
                f"folder {path.parent}, which must hold {TOKENIZER} too"
            )
    return False


def read(source: Source, options: Options) -> Contents:
    """Read a folder."""
    path = source.path
    folder = inside(path)
    if folder is None:
        raise ModelFileError(
            f"{path} is not a folder with {MODEL} and {TOKENIZER}; give one that model2vec wrote"
        )
    tensors, _ = safetensors_file.read(folder / MODEL)
    words, special = _tokens(folder / TOKENIZER)
    size = sum((folder / member).stat().st_size for member in (MODEL, TOKENIZER))
    matrix = _rows(folder / MODEL, tensors, len(words), most_bytes(size, options.max_expansion))
    if special:
        kept = [row for row in range(len(words)) if row not in special]
        words = [words[row] for row in kept]
        matrix = matrix[: len(kept)] if kept == list(range(len(kept))) else matrix[kept]
    contents = checked(path, options, words, matrix)
    contents.account.rows += len(special)
    contents.account.special = len(special)
    return contents


def write(path: Path, contents: Contents) -> None:
    """Write a folder, which appears whole or not at all, and replaces none of another kind."""
    matrix = contents.matrix
    V, N = matrix.shape
    vocabulary = {word: row for row, word in enumerate(contents.words)}
    unknown = UNKNOWN
    while unknown in vocabulary:
        unknown = f"[{unknown}]"
    vocabulary[unknown] = V
    not_so = dict.fromkeys(("lstrip", "rstrip", "normalized", "special"), False)
    tokenizer: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        # Words with white space in them are found before the text is split there.
        "added_tokens": [
            {"id": row, "content": word, "single_word": True, **not_so}
            for word, row in vocabulary.items()
            if word.split() != [word]
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown},
    }
    config = {
        "model_type": "model2vec",
        "architectures": ["StaticModel"],
        "hidden_dim": N,
        "embedding_dtype": matrix.dtype.name,
        "normalize": False,
    }
    rows = np.concatenate((matrix, np.zeros((1, N), matrix.dtype)))  # (V + 1, N)
    with replacing_folder(path, MEMBERS) as folder:
        safetensors_file.write(folder / MODEL, {MATRICES[0]: rows}, {})
        for name, content in ((TOKENIZER, tokenizer), (CONFIG, config)):
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
            (folder / name).write_bytes(text.encode())


def _rows(path: Path, tensors: Mapping[str, npt.NDArray[Any]], V: int, most: float) -> Floats:
    """Return a row for each of V words, (V, N), of no more than `most` bytes if mapped."""

    def unfit(why: str) -> ModelFileError:
        return ModelFileError(f"{path} does not fit {TOKENIZER}: {why}")

    matrix = next((tensors[name] for name in MATRICES if name in tensors), None)
    if matrix is None or matrix.dtype.kind not in "fi" or not is_table(matrix):
        raise unfit(f"it holds no matrix {MATRICES[0]}; fetch or write it again")
    mapping, weights = tensors.get("mapping"), tensors.get("weights")
    if mapping is not None:
        if mapping.dtype.kind != "i" or mapping.ndim != 1:
            raise unfit(f"mapping is {mapping.dtype}, not a row for each word")
        if len(mapping) and not 0 <= mapping.min() <= mapping.max() < len(matrix):
            raise unfit(f"mapping names rows beyond the {len(matrix)} that there are")
        size = len(mapping) * matrix.shape[1] * max(4, matrix.itemsize)
        if size > most:
            raise too_much(path, f"becomes {size} bytes by its mapping")
    rows = len(matrix if mapping is None else mapping)
    if rows != V:
        raise unfit(f"there are {V} words, but {rows} rows")
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float32)
    if mapping is not None:
        matrix = matrix[mapping]
    if weights is not None:
        if weights.dtype.kind != "f" or weights.shape != (V,):
            raise unfit(f"weights is {weights.dtype} of shape {weights.shape}, not ({V},)")
        with np.errstate(all="ignore"):  # told by what looks for such numbers
            matrix = (matrix * weights[:, None]).astype(matrix.dtype)
    return matrix


def _tokens(path: Path) -> tuple[list[str], set[int]]:
    """Read the V tokens in the order of their numbers, and which of them stand for no word."""
    check_regular(path)
    with explained(path):
        content = path.read_bytes()
    try:
        table = safetensors_file.strict_json(content.decode("utf-8-sig"))
        model, added = table["model"], table.get("added_tokens") or []
        vocabulary, unknown = model["vocab"], model.get("unk_id")
        if isinstance(vocabulary, list):  # pairs of a token and its logarithmic probability
            vocabulary = {token: number for number, (token, _) in enumerate(vocabulary)}
        else:
            unknown = vocabulary.get(model.get("unk_token"))
        numbers = {**vocabulary, **{each["content"]: each["id"] for each in added}}
        tokens = {number: token for token, number in numbers.items()}
        if not all(type(n) is int and isinstance(token, str) for n, token in tokens.items()):
            raise ValueError("a token is not text, or its number not a number")
        if len(tokens) < len(numbers) or tokens.keys() != set(range(len(tokens))):
            raise ValueError("the tokens are not numbered from 0 to the last")
        special = {unknown, *(each["id"] for each in added if each.get("special"))}
        listed = [tokens[number] for number in range(len(tokens))]
        return listed, {number for number in tokens if number in special}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path} is not a usable list of words as the tokenizers library writes it "
            f"({str(error)[:MOST_SAID]}); fetch or write it again"
        ) from None


def _members(path: Path) -> list[Path]:
    return [path, *(path / member for member in MEMBERS)]


FORMAT: Final = Format(
    name="model2vec",
    title="model2vec",
    recognise=recognise,
    read=read,
    write=write,
    folder=True,
    inputs=lambda path: [path, *_members(inside(path) or path)],
    outputs=_members,
)
