import FoundationEssentials
import Glibc
import VersionKitIsolation
import VersionKitKernel
import VersionKitModel
import VersionKitProcesses
import VersionKitRouter
import VersionKitTransport
import VersionKitUpgrade

/// A whole node on its way from one versiond to the next that the same process executes: what the journal does not have.
///
/// - Note: docs/hot-restart.md.
public struct NodeHandover: Codable, Sendable {
    /// The format that this versiond writes.
    static let formatCurrent = 1
    /// The formats that this versiond reads: what `versiond --handover-format` prints.
    public static let formats = [formatCurrent]

    /// The first thing in the state, for whoever does not know the rest.
    var format = formatCurrent
    /// The release of the versiond that wrote this.
    var release: String
    /// CLOCK_MONOTONIC when the router stopped, in nanoseconds: to tell for how long it stood still.
    var stoppedAt: Int64
    /// How many executions there were, this one included.
    var number: UInt64
    /// The node's own time. All others in the state are readings of it.
    var elapsed: Duration
    /// The listening control socket.
    var control: InheritedDescriptor
    /// The same on TCP, if there was one.
    var controlTCP: InheritedDescriptor?

    var applications: [ApplicationID: Application]
    var registry: PortRegistry
    var peers: PeerTable
    var announcements: Announcements
    var announced: [ApplicationID: Set<Version>]
    var lastStamp: Int64
    var forgottenPeers: UInt64
    var gate: FleetGate.Counters
    var router: Router

    /// One application.
    struct Application: Codable, Sendable {
        var running: [Version: Running] = [:]
        var clientEndpoints: [Version: Endpoint]
        var migrations: [Version: MigrationProgress]
        var generation: UInt64
        var restarts: [Version: Int]
        var downloadRetries: Int
        var proxy: ProxySupervisor.Handover?
    }

    /// A version whose environment exists: it is adopted.
    struct Running: Codable, Sendable {
        var manifest: ReleaseManifest
        /// The listening socket inside.
        var registrar: InheritedDescriptor
    }

    /// The parts of the router.
    struct Router: Codable, Sendable {
        var kernel: KernelRouter.Handover?
        var relay: Relay.Handover
        var datagrams: DatagramRelay.Handover
        var interception: Interception.Handover
    }

    /// What the versiond before left in a memory file, whose descriptor this takes over.
    ///
    /// Called before anything else opens files.
    ///
    /// - Throws: ``NodeError`` if the state cannot be understood. Then everything that was inherited is ended and closed, and
    ///   the node starts as after a crash.
    public static func take(from descriptor: Int32) throws(NodeError) -> NodeHandover {
        let inherited = Succession.inheritedDescriptors()
        do {
            guard inherited.contains(descriptor) else { throw NodeError("descriptor \(descriptor) was not inherited") }
            let data = Data(MemoryFile(descriptor: descriptor).contents().utf8)
            let format = try JSONDecoder().decode(Format.self, from: data).format
            guard formats.contains(format) else { throw NodeError("its format is \(format)") }
            let handover = try JSONDecoder().decode(NodeHandover.self, from: data)
            Succession.closeUnclaimed()
            return handover
        } catch {
            Succession.abandon(inherited.filter { fcntl($0, F_GETFD) >= 0 }, patience: abandonPatience)
            throw NodeError(
                "the state of the versiond before cannot be read; what it ran is ended and started again: \(error)")
        }
    }

    /// How long a child may take to end by itself, in milliseconds.
    private static let abandonPatience: Int32 = 5000

    private struct Format: Codable { var format: Int }

    /// The state in a memory file, which `descriptors` keep open with all others.
    func file(keeping descriptors: InheritedDescriptors) throws -> MemoryFile {
        let encoder = JSONEncoder()
        encoder.userInfo[InheritedDescriptors.key] = descriptors
        let file = try MemoryFile(String(decoding: encoder.encode(self), as: UTF8.self))
        descriptors.add(file.descriptor)
        return file
    }
}
