import CLinux
import Glibc
import VersionKitProcesses
import VersionKitReleases

/// CRIU, the program that keeps processes as they run, with their memory, files and connections, and goes on with them.
///
/// Needs root. Not every kernel lets it work: ``selfTest(in:)`` tells.
package struct Criu: Sendable, Hashable {
    /// Where the program is.
    package let path: String
    /// Which version it is.
    package let version: Version

    /// A version of CRIU.
    package struct Version: Sendable, Hashable, Comparable, CustomStringConvertible {
        let major: Int
        let minor: Int

        /// The first that dumps TCP and UDP sockets on kernels from 6.16 on.
        package static let oldest = Version(major: 4, minor: 2)

        package var description: String { "\(major).\(minor)" }

        package static func < (left: Version, right: Version) -> Bool {
            (left.major, left.minor) < (right.major, right.minor)
        }

        init(major: Int, minor: Int) {
            self.major = major
            self.minor = minor
        }

        /// What `criu --version` prints, `Version: 4.2.1` and more lines.
        init?(printed: String) {
            guard let line = printed.split(separator: "\n").first(where: { $0.hasPrefix("Version: ") }) else {
                return nil
            }
            let numbers = line.dropFirst(9).split { !$0.isNumber }
            guard numbers.count >= 2, let major = Int(numbers[0]), let minor = Int(numbers[1]) else { return nil }
            self.init(major: major, minor: minor)
        }
    }

    /// How long a program that only tells about itself may take.
    private static let versionLimit = Duration.seconds(10)

    /// The first of these programs that is there and new enough.
    ///
    /// - Parameter candidates: paths, or names to be found in the usual directories.
    /// - Throws: if there is none; the error names those that are too old.
    package static func find(_ candidates: [String] = ["criu"]) async throws(IsolationError) -> Criu {
        var refused: [String] = []
        for candidate in candidates {
            guard let path = Command.find(candidate), access(path, X_OK) == 0 else { continue }
            let result = try? await Command.run(path, ["--version"], limit: versionLimit)
            guard let version = Version(printed: result?.output ?? "") else {
                refused.append("\(path) does not tell its version")
                continue
            }
            if version >= .oldest { return Criu(path: path, version: version) }
            refused.append("\(path) is \(version)")
        }
        let found = refused.isEmpty ? "there is none" : refused.joined(separator: ", ")
        throw IsolationError("memory is kept by CRIU \(Version.oldest) or newer, and \(found): install it")
    }

    /// Dumps a small process with a TCP and a UDP socket, and restores it: takes a fifth of a second.
    ///
    /// - Parameter directory: for the images; they are removed again.
    /// - Throws: with CRIU's own reason, if it does not work on this machine.
    package func selfTest(in directory: String) async throws(IsolationError) {
        let images = try onDisk { () throws(ReleaseError) in try Disk.makeTemporaryDirectory(in: directory) }
        let sockets = [SOCK_STREAM, SOCK_DGRAM].map { vk_socket_in(-1, AF_INET, Int32($0.rawValue), 0) }
        defer {
            try? Disk.removeTree(images)
            for socket in sockets { close(socket) }
        }
        let result: Command.Result
        do throws(SystemError) {
            result = try await Command.run(
                "unshare",
                [
                    "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", Self.selfTestScript, "sh", path,
                    images,
                ],
                descriptors: [3: sockets[0], 4: sockets[1]], limit: Self.selfTestLimit)
        } catch {
            throw IsolationError("\(error)")
        }
        guard !result.exit.isSuccess else { return }
        let reason =
            CriuLog.reason(in: "\(images)/restore.log") ?? CriuLog.reason(in: "\(images)/dump.log")
            ?? String(result.output.suffix(300))
        throw IsolationError("CRIU \(version) does not work on this machine: \(reason)")
    }

    private static let selfTestLimit = Duration.seconds(20)

    /// In a process namespace of its own, so that the process's number is free when it is restored.
    private static let selfTestScript = """
        setsid sleep 60 </dev/null >/dev/null 2>&1 &
        process=$!
        "$1" dump --tree "$process" --images-dir "$2" --log-file dump.log
        wait "$process" || :
        "$1" restore --restore-detached --images-dir "$2" --log-file restore.log
        kill "$process"
        """
}

/// What CRIU writes into its log files.
enum CriuLog {
    /// The most that is read of one, in bytes.
    private static let bytesMax = 16 << 20

    /// Why it failed, by the log at this path; `nil` if it does not tell, or is not there.
    static func reason(in path: String) -> String? {
        guard let bytes = try? Disk.readFile(path, bytesMax: bytesMax) else { return nil }
        return reason(inText: String(decoding: bytes, as: UTF8.self))
    }

    /// Whether this reason is that it could not stop a process in time.
    static func isOfTimeout(_ reason: String) -> Bool { reason.contains("Timeout reached.") }

    /// The first error: the others follow from it. `(00.041833)      1: Error (soccr/soccr.c:499): Can't bind ...`
    static func reason(inText text: String) -> String? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "Error (", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let message = parts[1].drop { $0 != ":" }.dropFirst().drop { $0 != ":" }.dropFirst().drop { $0 == " " }
            // It says these although nothing is wrong.
            if message.hasPrefix("rlimit:") || message.hasPrefix("Unexpected EOF on (empty-image)") { continue }
            return String(message)
        }
        return nil
    }
}
