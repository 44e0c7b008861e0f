"""DeepLabCut's PyTorch engine: what trains networks of it, under our own order, and runs them."""
