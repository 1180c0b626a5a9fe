import Glibc
import Synchronization
import VersionKitProcesses

/// Whether the memory of containers can be kept on this machine, and by what. Thread-safe.
final class MemoryKeeper: Sendable {
    /// Where CRIU may be: paths, or names to be found in the usual directories.
    private let candidates: [String]
    /// One that has passed its test. It takes a while, and one that works goes on to.
    private let tested = Mutex<Criu?>(nil)

    init(_ candidates: [String]) { self.candidates = candidates }

    /// A program that works here.
    ///
    /// - Throws: the reason why there is none, and what to do.
    func criu() async throws(IsolationError) -> Criu {
        if let criu = tested.withLock({ $0 }) { return criu }
        guard OwnerMapping.current().isSeparate else {
            throw IsolationError("versiond is not root of the whole machine; run it as root")
        }
        guard ControlGroups.current().version != nil else {
            throw IsolationError("/sys/fs/cgroup cannot be written to; run versiond as root")
        }
        guard OCIRuntime.runc.path != nil else { throw IsolationError("runc is missing; install the package") }
        guard Command.find("nft") != nil else { throw IsolationError("nft is missing; install the package nftables") }
        let criu = try await Criu.find(candidates)
        try await criu.selfTest(in: "/run")
        tested.withLock { $0 = criu }
        return criu
    }
}
