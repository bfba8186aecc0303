"""Back-tests as work: folding history fast, comparing two versions of a rule, carrying out what was asked for."""
