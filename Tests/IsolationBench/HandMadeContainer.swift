import Foundation
import VersionKitIsolation

/// A container that a runtime makes without any of ours around it: overlay, network namespace and configuration by hand.
struct HandMadeContainer {
    let name: String
    let network: HandMadeNetwork
    let bundle: String
    /// Where the runtime keeps what it knows of its containers.
    let state: String
    private let runtime: String
    private let layer: String
    private let configuration: Data
    /// The user who is root inside, if that is another one.
    private let owner: Int

    /// - Parameter template: the configuration of an environment whose own is to be like it; `nil`: a simple one.
    init(_ slot: Int, runtime: String, _ place: Workplace, like template: Data? = nil) throws {
        // Its cgroups get this name, next to those of the whole machine.
        name = "isolation-bench-\(ProcessInfo.processInfo.globallyUniqueString)"
        network = HandMadeNetwork(slot)
        bundle = "\(place.directory)/hand\(slot)"
        state = "\(place.directory)/runtime"
        layer = place.layer
        self.runtime = "\(runtime) --root '\(state)'" + (runtime == "crun" ? " --cgroup-manager=cgroupfs" : "")
        var made = try BundleConfiguration(template ?? BundleConfiguration.simple)
        made.adapt(
            root: "\(bundle)/rootfs", command: Workplace.command(name), network: network.path, cgroup: "/\(name)",
            place.specification(slot))
        owner = made.owner
        configuration = try made.data()
    }

    /// From nothing to a container that was started: all that a node does for one.
    func start() async throws {
        try FileManager.default.createDirectory(atPath: "\(bundle)/rootfs", withIntermediateDirectories: true)
        try configuration.write(to: URL(filePath: "\(bundle)/config.json"))
        try await sh(
            """
            cd '\(bundle)'
            mkdir upper work
            chown \(owner):\(owner) upper
            mount -t overlay -o 'lowerdir=\(layer),upperdir=upper,workdir=work' overlay rootfs
            \(network.commands)
            \(runtime) --log log run --detach --bundle . \(name) </dev/null >/dev/null 2>&1 || { cat log; exit 1; }
            """)
    }

    /// Ends the container.
    func delete() async throws { try await sh("\(runtime) delete --force \(name)") }

    /// Removes everything else.
    func clear() async throws {
        try await network.remove()
        try await sh("umount '\(bundle)/rootfs'; rm -rf --one-file-system '\(bundle)'")
    }

    /// Uses the container, and takes it away also when that fails: its cgroups would outlive the sandbox.
    func using(_ body: () async throws -> Void) async throws {
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        if case .failure = result { try? await delete() }
        do { try await clear() } catch { try result.get() }
        try result.get()
    }
}
