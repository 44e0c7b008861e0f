"""Cross-species transfer learning for human pose: data in, transfer training, honest measurement."""

__version__ = "0.1.0"
