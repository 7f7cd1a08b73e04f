"""The objectives, one file each; `registry` of the folder above names them."""
