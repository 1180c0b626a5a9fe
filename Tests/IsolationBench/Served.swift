import Glibc
import VersionKitIsolation
import VersionKitModel
import VersionKitProcesses
import VersionKitSockets

/// An application that runs somewhere and can be asked.
struct Served {
    private static let patience = Duration.seconds(120)

    let endpoint: Endpoint

    init(_ address: IPAddress, port: UInt16 = Workplace.port) { endpoint = Endpoint(address: address, port: port) }

    /// Its answer to a line; `nil` if there is none in time.
    ///
    /// - Parameter seconds: for each step of the conversation.
    func ask(_ line: String, seconds: Int = 120) -> String? {
        guard let descriptor = try? openSocket(endpoint.address.family, .stream) else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connectSocket(descriptor, to: endpoint) else { return nil }
        let bytes = Array((line + "\n").utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &answer, answer.count, Int32(MSG_WAITALL))
        guard count > 0 else { return nil }
        return String(decoding: answer[..<count], as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }

    /// Tells it to do something.
    func tell(_ line: String) throws {
        let answer = ask(line)
        guard answer == "done" else { throw BenchFailure("the application answers \(answer ?? "nothing") to \(line)") }
    }

    /// Its answer to a line.
    func learn(_ line: String) throws -> String {
        guard let answer = ask(line) else { throw BenchFailure("the application does not answer to \(line)") }
        return answer
    }

    /// Makes sure of its answer.
    func expect(_ expected: String, to line: String) throws {
        let answer = try learn(line)
        guard answer == expected else { throw BenchFailure("\(line) was \(expected), and is \(answer) afterwards") }
    }

    /// Has it measure something.
    func measure(_ line: String) throws -> Double {
        let answer = ask(line)
        guard let value = answer.flatMap({ Double($0) }), value > 0 else {
            throw BenchFailure("the application answers \(answer ?? "nothing") to \(line)")
        }
        return value
    }

    /// Waits until it answers.
    func waitUntilReady(_ name: String) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while ask("name", seconds: 1) != name {
            guard ContinuousClock.now < deadline else { throw BenchFailure("\(name) does not answer") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

extension Workplace {
    /// An environment in which the application answers.
    func environment(_ slot: Int, _ backend: any IsolationBackend) async throws -> any IsolationEnvironment {
        let specification = specification(slot)
        try await backend.prepare(specification, keepsData: false)
        let environment = try await backend.create(specification)
        try await environment.start(Self.command(specification.name))
        try await Served(environment.addresses.primary).waitUntilReady(specification.name)
        return environment
    }

    /// The application, in an environment, in none, or in a network namespace by hand.
    func served(_ slot: Int) async throws -> Served {
        let served: Served
        switch order.kind {
        case .native: served = try local(slot)
        case .veth: served = try await behindVeth(slot)
        default: return Served(try await environment(slot, backend()).addresses.primary)
        }
        try await served.waitUntilReady("app-\(slot)")
        return served
    }

    /// The application as a process of the node, which ends with the sandbox.
    func local(_ slot: Int) throws -> Served {
        let port = Self.port + UInt16(slot)
        _ = try ChildProcess.spawn(
            layer + Self.application, Array(Self.command("app-\(slot)", port: port).dropFirst()))
        return Served(IPAddress(v4: 127 << 24 | 1), port: port)
    }

    private func behindVeth(_ slot: Int) async throws -> Served {
        let network = HandMadeNetwork(slot)
        try await network.make()
        _ = try ChildProcess.spawn(
            "/usr/bin/nsenter",
            ["--net=\(network.path)", layer + Self.application] + Self.command("app-\(slot)").dropFirst())
        return Served(network.address)
    }
}
