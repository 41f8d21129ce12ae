"""The Training tab: what the module PseudoNormalTraining shows on the desktop."""
