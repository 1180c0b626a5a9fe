import BenchFigures
import CBench
import Glibc

/// Messages there and back, one under way on each connection.
enum Ping {
    private static let warmUp = 200

    /// One connection, without asking the kernel which is ready.
    static func alone(_ server: Target, bytes: Int, seconds: Double) throws(LoadError) -> LoadResult {
        let descriptor = try server.connect(SOCK_STREAM)
        defer { close(descriptor) }
        _ = bench_set_receive_timeout(descriptor, 5000)
        let buffer = Buffer(bytes)
        for _ in 0..<warmUp { try exchange(descriptor, buffer) }
        var samples = Samples()
        let start = bench_now()
        let end = start + Clock.nanoseconds(seconds)
        var before = start
        while before < end {
            try exchange(descriptor, buffer)
            let now = bench_now()
            samples.add(now - before)
            before = now
        }
        return samples.result(seconds: Double(before - start) / 1e9)
    }

    /// One message there and back.
    static func exchange(_ descriptor: Int32, _ buffer: borrowing Buffer) throws(LoadError) {
        guard send(descriptor, buffer.bytes, buffer.count, 0) == buffer.count else { throw .system("send") }
        var received = 0
        while received < buffer.count {
            let count = recv(descriptor, buffer.bytes, buffer.count - received, 0)
            guard count > 0 else { throw count == 0 ? LoadError("the connection was closed") : .system("recv") }
            received += count
        }
    }

    /// Many connections.
    static func together(
        _ server: Target, bytes: Int, connections: Int, seconds: Double
    ) throws(LoadError) -> LoadResult {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        let buffer = Buffer(bytes)
        var states: [State] = []
        for index in 0..<connections {
            let descriptor = try server.connect(SOCK_STREAM)
            states.append(State(descriptor: descriptor, started: bench_now()))
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u32: UInt32(index)))
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { throw .system("epoll_ctl") }
        }
        for index in states.indices {
            states[index].started = bench_now()
            guard send(states[index].descriptor, buffer.bytes, bytes, 0) == bytes else { throw .system("send") }
        }
        var samples = Samples()
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        let start = bench_now()
        let end = start + Clock.nanoseconds(seconds)
        var now = start
        while now < end {
            let ready = epoll_wait(epoll, &events, Int32(events.count), 2000)
            guard ready > 0 else { throw LoadError("no answer within two seconds") }
            for position in 0..<Int(ready) {
                let index = Int(events[position].data.u32)
                let descriptor = states[index].descriptor
                let count = recv(descriptor, buffer.bytes, bytes - states[index].received, 0)
                guard count > 0 else { throw count == 0 ? LoadError("a connection was closed") : .system("recv") }
                states[index].received += count
                guard states[index].received == bytes else { continue }
                now = bench_now()
                samples.add(now - states[index].started)
                states[index].started = now
                states[index].received = 0
                guard send(descriptor, buffer.bytes, bytes, 0) == bytes else { throw .system("send") }
            }
        }
        return samples.result(seconds: Double(now - start) / 1e9)
    }

    private struct State {
        var descriptor: Int32
        var started: UInt64
        var received = 0
    }
}

extension Samples {
    /// As a line to print.
    func result(seconds: Double) -> LoadResult {
        var result = LoadResult()
        let values = percentiles([0.5, 0.99])
        result["p50"] = values[0]
        result["p99"] = values[1]
        result["count"] = Double(count)
        result["rate"] = Double(count) / seconds
        result["seconds"] = seconds
        return result
    }
}
