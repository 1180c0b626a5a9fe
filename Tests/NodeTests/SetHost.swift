import ExampleFleet

/// Programs that see another host than the real one: see Tests/SetHost.
enum SetHost {
    /// The variable with the path of a file that says by how many seconds the clock is wrong.
    static let clock = "VERSIONKIT_SET_CLOCK"
    /// The variable with the path of a file that reads as /proc/meminfo does.
    static let memory = "VERSIONKIT_SET_MEMORY"

    /// What a program's environment has to have for that, beside these variables.
    static func environment(_ variables: [String: String]) throws -> [String: String] {
        try variables.merging(["LD_PRELOAD": Programs.directory() + "/libSetHost.so"]) { $1 }
    }
}
