"""How good the alerts are: held against faults that are known, because they were simulated or somebody labelled them.

What each figure means stands in docs/explanation/scorecard.md.
"""
