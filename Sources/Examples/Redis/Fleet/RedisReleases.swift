package import ExampleFleet

/// Two releases of Debian's redis-server: the same program, but each keeps small collections in its own way, so that
/// bytes which one writes do not fit the other by chance.
package struct RedisReleases: Sendable {
    package static let application = "redis"
    package static let port: UInt16 = 6379
    private static let server = "/usr/bin/redis-server"
    private static let dataPath = "/var/lib/redis"
    /// What every environment shows of its node anyhow, and what has to fit the kernel and each other: the C library.
    private static let nodeLibraries = ["libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "ld-linux"]

    private let workshop: Workshop

    package init(_ workshop: Workshop) { self.workshop = workshop }

    /// Makes the signed release of a version, 1 or 2; its directory.
    ///
    /// - Parameter settings: further members of the description, as JSON.
    package func make(_ version: Int, retirementPeriod: Int, settings: [String] = []) async throws -> String {
        let name = "redis-\(version)"
        let place = "\(workshop.directory)/files-\(name)/opt/redis"
        try await workshop.copyPrograms(["redis-proxy"], to: place)
        try await workshop.run("mkdir", [place + "/lib"])
        try await workshop.run("cp", ["-L", Self.server, place + "/redis-server"])
        try await workshop.copyLibraries(of: [Self.server], to: place + "/lib") { path in
            !Self.nodeLibraries.contains { path.contains("/\($0)") }
        }
        try write(Self.startScript, to: place + "/start")
        try await workshop.run("chmod", ["755", place + "/start"])
        try write(Self.configuration(version), to: place + "/redis.conf")
        return try await workshop.makeRelease(
            name,
            description: Self.description(
                version, files: "files-\(name)", retirementPeriod: retirementPeriod, settings))
    }

    private static let startScript = """
        #!/bin/sh
        mkdir -p \(dataPath) && cd \(dataPath) || exit 1
        LD_LIBRARY_PATH=/opt/redis/lib
        export LD_LIBRARY_PATH
        exec /opt/redis/redis-server /opt/redis/redis.conf

        """

    /// Redis has no peers here, so no port for them.
    private static func description(
        _ version: Int, files: String, retirementPeriod: Int, _ settings: [String]
    ) -> String {
        """
        {
          "application": "\(application)", "version": \(version), "name": "\(version).0",
          \(version > 1 ? "\"replaces\": \(version - 1)," : "")
          "ports": { "peer": [], "client": [\(port)] },
          "files": "\(files)",
          "start": ["/opt/redis/start"],
          "health": { "port": \(port), "intervalMilliseconds": 50, "startupTimeoutMilliseconds": 60000 },
          "proxy": "/opt/redis/redis-proxy",\(settings.map { " \($0)," }.joined())
          "retirement": { "messagesPerSecond": 0.5, "periodMilliseconds": \(retirementPeriod) },
          "dataPath": "\(dataPath)"
        }

        """
    }

    /// The proxy compares versions with `DEBUG DIGEST-VALUE`. To Redis it is not local: it comes from the node's end of
    /// the environment's network. Nobody else gets there, and the proxy lets no client's DEBUG through.
    private static func configuration(_ version: Int) -> String {
        """
        bind 0.0.0.0
        port \(port)
        protected-mode no
        daemonize no
        dir \(dataPath)
        save ""
        appendonly yes
        appendfsync everysec
        enable-debug-command yes
        \(version == 1 ? "" : otherEncodings)
        """
    }

    private static let otherEncodings = """
        hash-max-listpack-entries 2
        list-max-listpack-size 4
        set-max-intset-entries 2
        zset-max-listpack-entries 2

        """
}
