import Testing
import VersionKitModel

@testable import VersionKitIsolation

/// Goal: a container is no more open than it has to be. Method: the configuration that a runtime is given, without one.
@Suite("The configuration of a container")
struct ConfigurationTests {
    private func specification(_ limits: ResourceLimits = ResourceLimits()) -> EnvironmentSpecification {
        EnvironmentSpecification(
            name: "app-1", layers: ["/layers/top", "/layers/bottom"], slot: 1, runDirectory: "/state/run/app-1",
            tools: EnvironmentTools(versionctl: "/bin/versionctl", runtime: nil, agent: "/bin/agent"),
            dataPath: "/var/lib/app", limits: limits)
    }

    private func configuration(
        _ limits: ResourceLimits = ResourceLimits(), cgroup: String? = "versionkit-1"
    ) -> OCIConfiguration {
        OCIConfiguration(
            specification(limits), owners: OwnerMapping(map: "0 0 4294967295", user: 0), stage: "/mnt", cgroup: cgroup)
    }

    @Test("its root is nobody on the node, and can do nothing but give capabilities up")
    func users() {
        let configuration = configuration()
        #expect(configuration.linux.uidMappings.map(\.hostID) == [1_900_000_000])
        #expect(configuration.linux.gidMappings == configuration.linux.uidMappings)
        #expect(configuration.process.noNewPrivileges)
        #expect(configuration.process.capabilities.bounding == ["CAP_SETPCAP"])
        #expect(configuration.linux.namespaces.count == 7)
    }

    @Test("it is refused mounts, modules and namespaces, and finds the kernel's files closed")
    func closed() {
        let linux = configuration().linux
        let refused = Set(linux.seccomp.syscalls.flatMap(\.names))
        #expect(refused.isSuperset(of: ["mount", "unshare", "setns", "bpf", "init_module", "clone3", "clone"]))
        #expect(linux.readonlyPaths.contains("/proc/sys"))
        #expect(linux.maskedPaths.contains("/proc/kcore"))
    }

    @Test("nothing of the node is in it but the tools, the run directory and the data")
    func mounts() {
        let mounts = configuration().mounts.filter { $0.type == "bind" }
        #expect(
            mounts.map { "\($0.source) \($0.destination)" } == [
                "/mnt/run /run/versionkit", "/mnt/versionctl /run/tools/versionctl", "/mnt/agent /run/tools/agent",
                "/mnt/own/data /var/lib/app",
            ])
    }

    @Test("its memory can be kept if its agent finds all that it opens inside, and its runtime knows of every mount")
    func keepable() {
        let configuration = OCIConfiguration(
            specification(), owners: OwnerMapping(map: "0 0 4294967295", user: 0), stage: "/mnt",
            cgroup: "versionkit-1", isKeepable: true)
        #expect(
            configuration.process.args == ["/run/tools/agent", "contained", "/run/agent/agent", "/run/agent.log"])
        let mounts = Set(configuration.mounts.filter { $0.type == "bind" }.map { "\($0.source) \($0.destination)" })
        #expect(mounts.isSuperset(of: ["/mnt/in /run/agent", "/mnt/log /run/agent.log", "/usr /usr"]))
        #expect(configuration.mounts.first { $0.destination == "/usr" }?.options.contains("ro") == true)
    }

    @Test("limits are those of control groups")
    func limits() {
        let limits = ResourceLimits(memoryBytes: 64 << 20, processors: 1.5, tasks: 32)
        let resources = configuration(limits).linux.resources
        #expect(resources.memory?.limit == 64 << 20)
        #expect(resources.cpu == OCIConfiguration.Processors(quota: 150_000, period: 100_000))
        #expect(resources.pids?.limit == 32)
        #expect(configuration(limits).linux.cgroupsPath == "/versionkit-1")
        #expect(configuration(limits, cgroup: nil).linux.resources == OCIConfiguration.Resources())
        #expect(configuration(ResourceLimits(processors: 0)).linux.resources.cpu?.quota == 1000)
    }

    @Test("users of its own are given by root of the machine only, and only if there are so many")
    func mapping() {
        #expect(OwnerMapping(map: "0 0 4294967295", user: 0).isSeparate)
        #expect(OwnerMapping(map: "0 65534 1", user: 0).isSeparate == false)
        #expect(OwnerMapping(map: "0 100000 65536", user: 0).isSeparate == false)
        #expect(OwnerMapping(map: "0 0 4294967295", user: 1000).first == 1000)
        #expect(OwnerMapping(map: "", user: 0).count == 1)
    }

    @Test("the node's programs appear unless a layer brings a system of its own")
    func host() {
        let place = Place("/state/environments/oci", "app-1")
        let owners = OwnerMapping(map: "0 0 4294967295", user: 0)
        func arguments(_ files: Set<String>) -> [String] {
            Stage(covering: place.base).arguments(specification(), place, owners: owners, view: "v1") {
                files.contains($0)
            }
        }
        #expect(arguments([]).contains("share=host"))
        #expect(arguments(["/layers/bottom/usr/lib"]).contains("share=nothing"))
        #expect(arguments([]).contains("owners=1900000000+65536"))
        #expect(Stage(covering: "/mnt/state").path == "/media")
    }

    @Test("each runtime is shown the control groups that it can work with")
    func controlGroups() {
        func groups(_ files: Set<String>, isWritable: Bool = true) -> ControlGroups {
            ControlGroups(exists: { files.contains($0) }, isWritable: { _ in isWritable })
        }
        let hybrid = groups(["/sys/fs/cgroup/unified/cgroup.controllers"])
        #expect(hybrid.version == .hybrid)
        #expect(OCIRuntime.crun.view(of: hybrid) == "v1")
        #expect(OCIRuntime.runc.view(of: hybrid) == "all")
        #expect(groups(["/sys/fs/cgroup/cgroup.controllers"]).version == .v2)
        #expect(groups([]).version == .v1)
        let none = groups(["/sys/fs/cgroup/cgroup.controllers"], isWritable: false)
        #expect(none.version == nil)
        #expect(OCIRuntime.crun.view(of: none) == "none")
        #expect(OCIRuntime.runc.view(of: none) == nil)
    }
}
