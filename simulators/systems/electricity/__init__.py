"""The electricity network below a root site: customers, transformers, feeders."""
