/// What a container has beyond namespaces.
struct ContainerLayout {
    /// What an OCI runtime is shown of the node's control groups.
    enum ControlGroups: String {
        /// All of them.
        case all
        /// Those of version 1: crun refuses to work with both.
        case v1
        /// None: nothing may be made there.
        case none
    }

    /// What appears of the host's programs and libraries.
    enum Sharing: String {
        case host, nothing
        /// Symbolic links between their directories: the runtime shows these themselves.
        case links
    }

    /// The environment's directory, with the upper, the work and the data directory.
    var base = ""
    /// The directory that is covered with all that the container is made of; what is there is not seen meanwhile.
    var stage = ""
    /// A file to lock for as long as the runtime works.
    var lock = ""
    /// The runtime's configuration.
    var configuration = ""
    /// The program of the agent.
    var agent = ""
    /// The directory in which the agent makes its socket, and the file that it prints to, if they are not passed to it.
    var meeting = ""
    var log = ""
    /// The first of the node's users that those of the container are; `nil`: the container's root is who we are.
    var firstOwner: UInt32?
    var ownerCount: UInt32 = 0
    var sharing = Sharing.nothing
    var controlGroups = ControlGroups.all

    mutating func take(_ name: String, _ value: String) throws(Failure) {
        switch name {
        case "base": base = value
        case "stage": stage = value
        case "lock": lock = value
        case "configuration": configuration = value
        case "agent": agent = value
        case "meeting": meeting = value
        case "log": log = value
        case "owners":
            let numbers = value.split(separator: "+").compactMap { UInt32($0) }
            guard numbers.count == 2 else { throw Failure("owners=FIRST+COUNT, not '\(value)'") }
            (firstOwner, ownerCount) = (numbers[0], numbers[1])
        case "share":
            guard let sharing = Sharing(rawValue: value) else { throw Failure("share=\(value)?") }
            self.sharing = sharing
        case "cgroups":
            guard let view = ControlGroups(rawValue: value) else { throw Failure("cgroups=\(value)?") }
            controlGroups = view
        default: throw Failure("there is no argument '\(name)'")
        }
    }
}
