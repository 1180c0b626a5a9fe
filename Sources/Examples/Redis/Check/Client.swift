import Glibc
import RedisCheckModel

/// One connection's client: it alone writes its keys, and so it knows what they must be.
struct Client {
    private static let reconnectPause: UInt32 = 50_000
    /// How often it tries to read a key back while the connection fails.
    private static let readBackTries = 100
    private static let readBackBatch = 50

    let host: String
    let port: UInt16
    let prefix: String
    let pause: UInt32
    let report: SharedReport
    private var keyspace = Keyspace()
    private var mix: Mix<SplitMix>
    private var connection: Connection?

    init(number: Int, run: String, host: String, port: UInt16, pause: UInt32, report: SharedReport) {
        self.host = host
        self.port = port
        self.pause = pause
        self.report = report
        prefix = "check:\(run)\(number):"
        mix = Mix(prefix: prefix, random: SplitMix(seed: UInt64(number)))
    }

    /// Works until it is told to stop, and then reads everything back.
    mutating func run() {
        while !report.isStopping {
            round()
            if pause > 0 { usleep(pause) }
        }
        readBack()
    }

    private mutating func round() {
        let steps = mix.next(keyspace)
        var answered = 0
        do {
            let connection = try connected()
            do {
                try connection.send(steps.flatMap(\.requests))
                for step in steps {
                    let replies = try step.requests.map { _ in try connection.receive() }
                    answered += 1
                    if let problem = keyspace.answered(step, replies) {
                        report.count(step, failure: "\(problem)")
                    } else {
                        report.count(step)
                    }
                }
            } catch {
                self.connection = nil
                for step in steps[answered...] {
                    keyspace.doubt(step)
                    report.count(step, failure: "\(error)")
                }
            }
        } catch {
            report.count(failure: "\(error)")
            usleep(Self.reconnectPause)
        }
    }

    private mutating func connected() throws -> Connection {
        if let connection { return connection }
        let connection = try Connection(host: host, port: port)
        self.connection = connection
        return connection
    }

    /// Compares all that is there with all that must be.
    private mutating func readBack() {
        let keys = keyspace.used.compactMap { key in mix.kind(of: key).map { (key, $0) } }
        var found: Keyspace.Entries = [:]
        for start in stride(from: 0, to: keys.count, by: Self.readBackBatch) {
            let batch = keys[start..<min(start + Self.readBackBatch, keys.count)]
            for tries in 1...Self.readBackTries {
                do {
                    try read(batch, into: &found)
                    break
                } catch {
                    connection = nil
                    if tries == Self.readBackTries { report.count(failure: "\(error)") }
                    usleep(Self.reconnectPause)
                }
            }
        }
        for problem in keyspace.losses(found) { report.countLost("\(problem)") }
    }

    private mutating func read(_ batch: ArraySlice<(String, Kind)>, into found: inout Keyspace.Entries) throws {
        let connection = try connected()
        try connection.send(batch.flatMap { ReadBack.requests($0.0, $0.1) })
        for (key, kind) in batch {
            let replies = [try connection.receive(), try connection.receive()]
            found[key] = try ReadBack.entry(replies, kind)
        }
    }
}
