"""Training by candidates: the same network, asked about some words of the vocabulary at a time.

A block of consecutive tokens shares S candidate words, drawn from a noise distribution q. The
softmax runs over them and the word that stood there, with log(S q(word)) taken off every logit.
With every word a candidate and nothing taken off, it is the exact softmax.

Sources: Bengio & Senécal 2008, "Adaptive importance sampling to accelerate training of a neural
probabilistic language model"; Jean, Cho, Memisevic & Bengio 2015, "On using very large target
vocabulary for neural machine translation".
"""
