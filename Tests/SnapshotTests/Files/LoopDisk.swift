import Foundation
import Testing
import VersionKitIsolation
import VersionKitProcesses

/// A file system of its own, in a file, for one test; gone with the sandbox at the latest.
final class LoopDisk: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case btrfs, xfs, ext4

        var expectedMethod: FileSnapshot.Method {
            switch self {
            case .btrfs: .subvolume
            case .xfs: .reflink
            case .ext4: .copy
            }
        }
    }

    let root: String
    private let folder: String

    init(_ kind: Kind) async throws {
        try #require(getenv("VERSIONKIT_SANDBOX") != nil, "run inside scripts/sandbox, as `make test` does")
        folder = FileManager.default.temporaryDirectory.appending(path: "disk-\(UUID().uuidString)").path
        root = "\(folder)/root"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try await sh(
            """
            truncate -s 1g '\(folder)/image' && mkfs.\(kind.rawValue) -q '\(folder)/image' &&
                mount -t \(kind.rawValue) -o loop '\(folder)/image' '\(root)'
            rm -rf '\(root)/lost+found'
            """)
    }

    /// Takes everything away again that was mounted in it, and itself.
    ///
    /// A process that another test forks meanwhile holds what is open and mapped here until it runs its own program:
    /// that is waited for.
    func remove() async throws {
        try await sh(
            """
            tries=0
            until message=$(umount --recursive --quiet '\(root)' 2>&1); do
                tries=$((tries + 1))
                [ "$tries" -lt 500 ] || { echo "$message"; exit 1; }
                sleep 0.02
            done
            rm -rf --one-file-system '\(folder)'
            """)
    }
}

/// Runs lines of a shell, which have to succeed, and returns what they print.
@discardableResult
func sh(_ lines: String) async throws -> String {
    let result = try await Command.run("sh", ["-ec", lines], limit: .seconds(60))
    try #require(result.exit.isSuccess, "\(lines)\n\(result.output)")
    return result.output
}

/// Uses a disk and takes it away, also when the test fails.
func withDisk(_ kind: LoopDisk.Kind, _ body: (String) async throws -> Void) async throws {
    let disk = try await LoopDisk(kind)
    let result: Result<Void, any Error>
    do { result = .success(try await body(disk.root)) } catch { result = .failure(error) }
    try await disk.remove()
    try result.get()
}

/// What can be seen of a tree: kinds, owners, modes, names of the same file, sizes, times, attributes, bytes.
func listing(of directory: String) async throws -> String {
    try await sh(
        """
        cd '\(directory)'
        find . -mindepth 1 -type d -printf '%P %y %m %U %G %t\\n' | sort
        find . ! -type d -printf '%P %y %m %U %G %s %t %l\\n' | sort
        find . -type f -printf '%P %n\\n' | sort
        find . -type c -exec stat -c '%t:%T %n' {} + | sort
        find . -print0 | sort -z | xargs -0 getfattr --no-dereference --dump --match=- --absolute-names
        find . -type f -exec sha256sum {} + | sort -k 2
        """)
}
