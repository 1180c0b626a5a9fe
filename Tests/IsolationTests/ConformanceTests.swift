import Testing

/// What every kind of environment has to do. One after the other: they share the names of interfaces.
@Suite("Environments", .serialized)
struct ConformanceTests {}
