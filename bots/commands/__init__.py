"""The commands, written once for every platform; one file each."""
