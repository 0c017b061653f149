"""Supernets, one file per kind of layout; ``oneshot.supernet.SUPERNETS`` names their classes."""
