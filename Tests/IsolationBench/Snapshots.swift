import Glibc
import VersionKitIsolation
import VersionKitModel

/// Snapshots as an environment makes them, and going on with a copy.
enum Snapshots {
    /// Files of this size, in kilobytes, have what is to be kept.
    private static let fileKilobytes = 1024

    static func measure(_ place: Workplace) async throws {
        let backend = try place.backend()
        let environment = try await place.environment(1, backend)
        let served = Served(environment.addresses.primary)
        let level: SnapshotLevel = place.order.kind.keepsMemory ? .memory : .files
        // The smallest first: memory that was touched stays so.
        var held = 0
        for megabytes in place.order.sizes.sorted() {
            if level == .memory {
                try served.tell("hold \(megabytes - held)")
                held = megabytes
            } else {
                try served.tell("write \(megabytes) \(fileKilobytes)")
            }
            let directory = "\(place.directory)/snapshot-\(megabytes)"
            let sum = try served.learn("sum")
            let start = ContinuousClock.now
            let report = try await environment.snapshot(level, into: directory)
            place.tell("snapshot", "\(megabytes) MB", ContinuousClock.now - start)
            place.tell("snapshot-pause", "\(megabytes) MB", report.paused)
            if level == .memory { try check(report.bytes, holds: megabytes) }
            place.tell("resume", "\(megabytes) MB", try await resume(from: directory, level, sum, backend, place))
            try Subvolume.removeDirectory(directory)
        }
        await environment.stop(.immediate)
    }

    /// What has memory is no smaller than that: no page of it is empty, nor like another.
    static func check(_ bytes: UInt64, holds megabytes: Int) throws {
        guard bytes >= UInt64(megabytes) << 20 else {
            throw BenchFailure("a snapshot of \(megabytes) MB of memory has \(bytes) bytes: the memory is not in it")
        }
    }

    /// From the order to the answer of a copy beside the original.
    private static func resume(
        from directory: String, _ level: SnapshotLevel, _ sum: String, _ backend: any IsolationBackend,
        _ place: Workplace
    ) async throws -> Duration {
        let specification = place.specification(2)
        let start = ContinuousClock.now
        let copy: any IsolationEnvironment
        // One that goes on has the name that it had.
        var name = place.specification(1).name
        if level == .memory {
            copy = try await backend.revive(specification, from: directory)
        } else {
            try await backend.restore(specification, from: directory)
            copy = try await backend.create(specification)
            name = specification.name
            try await copy.start(Workplace.command(name))
        }
        let served = Served(copy.addresses.primary)
        try await served.waitUntilReady(name)
        let time = ContinuousClock.now - start
        if level == .memory { try served.expect(sum, to: "sum") }
        await copy.stop(.immediate)
        try await backend.destroy(specification.name)
        return time
    }

    /// For how long a version stands still whose files are on the disk: few large ones, and as many as applications have.
    static func pause(_ place: Workplace) async throws {
        let backend = try place.backend()
        let environment = try await place.environment(1, backend)
        let served = Served(environment.addresses.primary)
        for kilobytes in [fileKilobytes, 50] {
            for megabytes in place.order.sizes {
                try served.tell("write \(megabytes) \(kilobytes)")
                for _ in 0..<place.order.repeats {
                    sync()
                    let directory = "\(place.directory)/snapshot"
                    let report = try await environment.snapshot(.files, into: directory)
                    place.tell("pause", "\(megabytes) MB in files of \(kilobytes) kB", report.paused)
                    try Subvolume.removeDirectory(directory)
                }
            }
        }
        await environment.stop(.immediate)
    }
}
