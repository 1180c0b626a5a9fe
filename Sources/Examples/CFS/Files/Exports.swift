// Whoever publishes or reads a file system has to do with keys.
@_exported public import CFSBlocks
