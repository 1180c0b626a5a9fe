import ExampleFleet

/// What the demonstration came to.
struct Outcome: Sendable {
    var hosts: Int
    /// Hosts on which generation 2 serves alone and generation 1 has retired.
    var upgraded: Int
    var duration: Duration
    /// Files that were read while it ran, and at its end, each verified block by block.
    var reads = 0
    var bytesVerified: UInt64 = 0
    /// Blocks and publications that were acknowledged.
    var writes = 0
    /// Requests that failed, all attempts of a client's taken together.
    var failed = 0
    /// What was acknowledged and not there in the end.
    var lost = 0
    /// Files of the tree, and those that are not there, byte for byte, in the end.
    var files: Int
    var wrongFiles = 0

    var isGood: Bool { upgraded == hosts && failed == 0 && lost == 0 && wrongFiles == 0 && reads > 0 && writes > 0 }

    /// The last line.
    var line: String {
        "demo: \(upgraded)/\(hosts) nodes on version 2 in \(duration.inSeconds.tenths) s; \(reads) files read, "
            + "\((Double(bytesVerified) / 1e6).tenths) MB verified, \(writes) writes, \(failed) failed, \(lost) lost; "
            + "\(files - wrongFiles) of \(files) files have their SHA-256"
    }
}
