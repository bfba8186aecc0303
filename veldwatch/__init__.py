"""The kernel that Veldwatch's programs share: values, wire formats, storage, settings, logs and metrics.

It imports none of the programs. Import from the module that defines a name; nothing is re-exported here.
"""

__version__ = "0.1.0"
