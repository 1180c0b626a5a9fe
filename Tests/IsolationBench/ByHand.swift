import Foundation
import VersionKitIsolation
import VersionKitModel

/// What containers cost by themselves.
enum ByHand {
    /// From nothing to an application that answers, and back, with the configuration that the backend makes.
    static func life(_ place: Workplace) async throws {
        guard let kind = place.order.kind.model else { throw BenchFailure("\(place.order.kind) is done by nobody") }
        let template = try await configuration(of: kind, place)
        try FileManager.default.createDirectory(
            atPath: place.specification(1).runDirectory, withIntermediateDirectories: true)
        // crun refuses to work where there are cgroups of both versions; in this sandbox nobody else needs the second.
        if kind == .crun { _ = try? await sh("umount --lazy /sys/fs/cgroup/unified") }
        for turn in 0...place.order.repeats {
            let container = try HandMadeContainer(1, runtime: kind.rawValue, place, like: template)
            let start = ContinuousClock.now
            var ready = start
            try await container.using {
                try await container.start()
                try await Served(container.network.address).waitUntilReady(container.name)
                ready = .now
                try await container.delete()
            }
            guard turn > 0 else { continue }
            place.tell("create-to-ready", "", ready - start)
            place.tell("destroy", "", ContinuousClock.now - ready)
        }
    }

    /// The configuration that a backend makes for an environment.
    private static func configuration(of kind: Kind, _ place: Workplace) async throws -> Data {
        let directory = place.directory + "/environments"
        let backend = try kind.backend(directory)
        let specification = place.specification(1)
        try await backend.prepare(specification, keepsData: false)
        let environment = try await backend.create(specification)
        let path = "\(directory)/\(specification.name)/config.json"
        guard let data = FileManager.default.contents(atPath: path) else { throw BenchFailure("there is no \(path)") }
        await environment.stop(.immediate)
        try await backend.destroy(specification.name)
        return data
    }

    /// The memory of a container, kept while it goes on and then gone on with in its place.
    static func snapshot(_ place: Workplace) async throws {
        let criu = try await Criu.find([place.order.criu, "criu"].compactMap(\.self))
        // As a node does before it keeps any memory. CRIU keeps what it learns of the kernel meanwhile, until the next boot.
        try await criu.selfTest(in: place.directory)
        for megabytes in place.order.sizes {
            let container = try HandMadeContainer(1, runtime: "runc", place)
            let memory = ContainerMemory(root: container.state, criu: criu)
            try await container.using { try await snapshot(megabytes, container, memory, place) }
        }
    }

    private static func snapshot(
        _ megabytes: Int, _ container: HandMadeContainer, _ memory: ContainerMemory, _ place: Workplace
    ) async throws {
        try await container.start()
        let served = Served(container.network.address)
        try await served.waitUntilReady(container.name)
        try served.tell("hold \(megabytes)")
        let sum = try served.learn("sum")
        let images = "\(place.directory)/images"
        let start = ContinuousClock.now
        let frozen = try await memory.dump(
            container.name, to: images, keepsRunning: true, network: .named(container.network.path))
        place.tell("snapshot", "\(megabytes) MB", ContinuousClock.now - start)
        place.tell("snapshot-pause", "\(megabytes) MB", frozen)
        try Snapshots.check(try await size(of: images), holds: megabytes)
        try await container.delete()
        let end = ContinuousClock.now
        try await memory.restore(
            container.name, bundle: container.bundle, from: images, connections: .closed,
            network: .named(container.network.path))
        try await served.waitUntilReady(container.name)
        place.tell("resume", "\(megabytes) MB", ContinuousClock.now - end)
        try served.expect(sum, to: "sum")
        try await container.delete()
        try FileManager.default.removeItem(atPath: images)
    }

    /// What a directory takes on the disk, in bytes.
    private static func size(of directory: String) async throws -> UInt64 {
        let words = try await sh("du --summarize --block-size=1 '\(directory)'").split(whereSeparator: \.isWhitespace)
        return words.first.flatMap { UInt64($0) } ?? 0
    }
}
