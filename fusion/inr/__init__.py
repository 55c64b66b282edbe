"""Implicit neural representations: architectures as data, starts, the batched fitting engine, PSNR.

Knows nothing of modalities or files.
"""
