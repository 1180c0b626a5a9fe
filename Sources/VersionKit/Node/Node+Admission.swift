import Glibc
import Logging
import VersionKitIsolation
import VersionKitJournal
import VersionKitModel
import VersionKitProcesses
import VersionKitReleases
import VersionKitUpgrade

/// Upgrades wait until the node has room for them; ``Admission`` decides.
extension Node {
    /// Returns when the upgrade may begin. What it waits for is in the status meanwhile.
    func waitForRoom(_ id: ApplicationID, _ manifest: ReleaseManifest) async throws {
        defer { applications[id]?.obstacle = nil }
        while true {
            let admission = try await admission(id, manifest)
            // Between this and the mark nobody else comes in.
            guard let obstacle = admission.obstacle(in: room(beside: id)) else {
                applications[id]?.isAdmitted = true
                return
            }
            if applications[id]?.obstacle != obstacle {
                note("the upgrade of \(id) to version \(manifest.version) waits: \(obstacle)", level: .warning)
                applications[id]?.obstacle = obstacle
            }
            try await Task.sleep(for: Admission.retryDelay)
        }
    }

    private func room(beside id: ApplicationID) -> Admission.Room {
        Admission.Room(
            diskBytes: Self.freeDiskBytes(configuration.state), memoryBytes: Self.freeMemoryBytes(),
            upgrades: applications.values.count { $0.id != id && $0.isAdmitted },
            upgradesMax: max(1, configuration.upgradesMax ?? Admission.upgradesMaxDefault))
    }

    private func admission(_ id: ApplicationID, _ manifest: ReleaseManifest) async throws -> Admission {
        let store = store
        let old = applications[id]?.records[manifest.version]?.pipeline.predecessor
        let policy = configuration.snapshots ?? SnapshotPolicy()
        let isInPlace = (manifest.method ?? .sideBySide) != .sideBySide
        // One that takes its place gets a copy beside the checkpoint.
        let copies = UInt64(
            isInPlace ? 2 : (policy.beforeUpgrade == true ? 1 : 0) + (policy.beforeRetirement == true ? 1 : 0))
        let files = try old.map { old in
            "\(configuration.state)/environments/\(try backend(id, old).kind)/\(environmentName(id, old))"
        }
        let limit = applications[id]?.limits(for: manifest).memoryBytes
        return try await tryOnThread("admission") {
            let missing = try store.missingLayers(of: manifest)
            let packed = try store.packedLayers(of: manifest)
            // Archives are decompressed on the way to their files: nothing of them stands beside these.
            return Admission(
                manifest, missingBytes: missing.reduce(0) { $0 + $1.size },
                packedBytes: packed.reduce(0) { $0 + $1.archiveSize },
                copiedBytes: copies == 0 ? 0 : copies * (files.map { FileSnapshot.bytes(of: $0) } ?? 0),
                memoryLimit: limit)
        }
    }

    /// What is free for others than root, too: the rest keeps file systems quick.
    private static func freeDiskBytes(_ path: String) -> UInt64 {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? UInt64(status.f_bavail) * UInt64(status.f_frsize) : 0
    }

    private static func freeMemoryBytes() -> UInt64? {
        guard let file = fopen("/proc/meminfo", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                .split(separator: " ")
            if words.first == "MemAvailable:", words.count > 1 { return UInt64(words[1]).map { $0 << 10 } }
        }
        return nil
    }
}
