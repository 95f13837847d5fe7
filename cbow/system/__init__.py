"""What the operating system and the compiler give: files, threads, signals, kernels."""
