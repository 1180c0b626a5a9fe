import VersionKitIsolation
import VersionKitModel

/// From nothing to an application that answers, and back.
enum Life {
    static func measure(_ place: Workplace) async throws {
        let backend = try place.backend()
        let specification = place.specification(1)
        // The first is to have made what is made once, such as images of disks.
        for turn in 0...place.order.repeats {
            let start = ContinuousClock.now
            try await backend.prepare(specification, keepsData: false)
            let prepared = ContinuousClock.now
            let environment = try await backend.create(specification)
            let created = ContinuousClock.now
            try await environment.start(Workplace.command(specification.name))
            try await Served(environment.addresses.primary).waitUntilReady(specification.name)
            let ready = ContinuousClock.now
            await environment.stop(.standard)
            try await backend.destroy(specification.name)
            let destroyed = ContinuousClock.now
            guard turn > 0 else { continue }
            place.tell("prepare", "", prepared - start)
            place.tell("create", "", created - prepared)
            place.tell("create-to-ready", "", ready - prepared)
            place.tell("destroy", "", destroyed - ready)
        }
    }
}

/// What an environment takes of the node's memory while nothing happens in it.
enum Idle {
    static func measure(_ place: Workplace) async throws {
        let backend = try place.backend()
        let before = try Processes.all()
        let environment = try await place.environment(1, backend)
        let megabyte = Double(1 << 20)
        let processes = try Processes.all().subtracting(before)
        place.tell("idle-memory", "", Double(processes.reduce(0) { $0 + Processes.memory(of: $1) }) / megabyte)
        place.tell("idle-usage", "", Double(try await environment.usage().memoryBytes) / megabyte)
        await environment.stop(.immediate)
    }
}
