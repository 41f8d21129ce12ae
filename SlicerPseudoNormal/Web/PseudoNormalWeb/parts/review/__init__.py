"""The review of cases in a browser: what module PseudoNormalReview does."""
