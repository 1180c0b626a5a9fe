import Glibc

/// Where `versionkit-environment container` mounts what a container is made of: a directory that every machine has, covered
/// in a mount namespace of the container's own.
struct Stage: Equatable {
    /// What a layer holds that brings a system of its own.
    private static let systemDirectories = ["/bin", "/lib", "/usr/bin", "/usr/lib"]

    let path: String

    /// One that does not cover the runtime's own files.
    init(covering base: String) { path = base.hasPrefix("/mnt/") ? "/media" : "/mnt" }

    /// Whether a version's layers bring a system of its own: then nothing of the host's is seen.
    static func bringsSystem(
        _ specification: EnvironmentSpecification, exists: (String) -> Bool = { access($0, F_OK) == 0 }
    ) -> Bool {
        specification.layers.contains { layer in systemDirectories.contains { exists(layer + $0) } }
    }

    /// The command's arguments, up to the runtime.
    ///
    /// - Parameter isKeepable: whether the runtime is to know of all that is mounted, and the agent makes its socket itself.
    func arguments(
        _ specification: EnvironmentSpecification, _ place: Place, owners: OwnerMapping, view: String,
        isKeepable: Bool = false, exists: (String) -> Bool = { access($0, F_OK) == 0 }
    ) -> [String] {
        let brings = Self.bringsSystem(specification, exists: exists)
        var arguments = [
            "container", "lower=\(specification.layers.joined(separator: ":"))", "upper=\(place.upper)",
            "work=\(place.work)", "root=\(path)/root", "run=\(specification.runDirectory)", "base=\(place.writable)",
            "stage=\(path)", "lock=\(place.runtimeLock)",
            "configuration=\(place.configuration)", "versionctl=\(specification.tools.versionctl)",
            "agent=\(specification.tools.agent)", "share=\(brings ? "nothing" : isKeepable ? "links" : "host")",
            "cgroups=\(view)",
        ]
        if let runtime = specification.tools.runtime { arguments.append("runtime=\(runtime)") }
        if isKeepable { arguments += ["meeting=\(place.meeting)", "log=\(place.log)"] }
        if owners.isSeparate { arguments.append("owners=\(owners.first)+\(owners.count)") }
        return arguments
    }
}
