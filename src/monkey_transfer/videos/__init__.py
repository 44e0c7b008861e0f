"""Videos: read as DeepLabCut reads them, one person followed through the frames, the poses written for others.

It knows no network: what predicts, and what finds a person, are functions that are handed in.
"""
