import Glibc
import VersionKitIsolation
import VersionKitProcesses

/// A file system for one run.
enum Disk: String {
    /// That of the directory in which everything is.
    case plain
    /// Its own, in a file.
    case btrfs, xfs, ext4
}

/// A directory for one run, with a layer that has the application.
final class Workplace: Sendable {
    static let application = "/opt/app"
    static let port: UInt16 = 7000

    let order: Order
    let directory: String
    let layer: String
    /// Where the programs are that were built with this one.
    let programs: String
    private let folder: String

    init(_ order: Order) async throws {
        self.order = order
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 else { throw BenchFailure("/proc is missing") }
        let path = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        programs = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        var template = Array("\(order.work)/isolation-bench-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw BenchFailure("no directory can be made in \(order.work)") }
        folder = String(cString: made)
        directory = folder + "/root"
        layer = directory + "/layer"
        // Users of an environment's own have to get through.
        try await sh("chmod 755 '\(folder)'; mkdir '\(directory)'")
        if order.disk != .plain {
            try await sh(
                """
                truncate -s 4g '\(folder)/image'
                mkfs.\(order.disk.rawValue) -q '\(folder)/image'
                mount -t \(order.disk.rawValue) -o loop '\(folder)/image' '\(directory)'
                """)
        }
        try await sh(
            "mkdir -p '\(layer)/opt' '\(directory)/run'; cp '\(programs)/isolation-app' '\(layer)\(Self.application)'")
    }

    func backend() throws -> any IsolationBackend {
        try order.kind.backend(directory + "/environments", criu: order.criu)
    }

    /// Takes everything away again, as far as the sandbox does not.
    func remove() async {
        let kind = order.kind.model ?? order.kind
        if let backend = try? kind.backend(directory + "/environments") {
            for name in (try? await backend.names()) ?? [] { try? await backend.destroy(name) }
        }
        _ = try? await sh(
            """
            umount --recursive --quiet '\(directory)' || :
            rm -rf --one-file-system '\(folder)'
            """)
    }

    func specification(_ slot: Int) -> EnvironmentSpecification {
        EnvironmentSpecification(
            name: "app-\(slot)", layers: [layer], slot: slot, runDirectory: "\(directory)/run/app-\(slot)",
            tools: EnvironmentTools(
                versionctl: programs + "/versionctl", runtime: nil, agent: programs + "/versionkit-environment"),
            limits: order.kind.limits)
    }

    /// The command line of the application.
    static func command(_ name: String, port: UInt16 = port) -> [String] {
        [application, "serve", "\(port)", name, "/data"]
    }

    /// Prints a row.
    func tell(_ measure: String, _ detail: String, _ value: Double) {
        print("\(measure),\(order.kind.rawValue),\(detail),\(value)")
    }

    func tell(_ measure: String, _ detail: String, _ time: Duration) {
        tell(measure, detail, time / .milliseconds(1))
    }
}

/// Runs lines of a shell, which have to succeed, and returns what they print.
@discardableResult
func sh(_ lines: String) async throws -> String {
    let result = try await Command.run("sh", ["-ec", lines], limit: .seconds(120))
    guard result.exit.isSuccess else { throw BenchFailure("\(lines)\n\(result.exit): \(result.output)") }
    return result.output
}
