"""The embedded simulator: navigation as Recast and Detour do it, a rasteriser in numpy, and things that move."""
