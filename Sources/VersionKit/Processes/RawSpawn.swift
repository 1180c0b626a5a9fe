import CLinux

/// What a program is started with, for callers that reap it themselves; others use ``ChildProcess``.
package struct RawSpawn: Sendable {
    /// The environment, `NAME=value`.
    package var environment: [String] = ChildProcess.environment
    /// A descriptor of the network namespace that it runs in.
    package var networkNamespace: Int32?
    /// Descriptors that it gets, by their numbers there. Nothing else is inherited but 0, 1 and 2.
    package var descriptors: [Int32: Int32] = [:]
    /// The directory that it starts in; by default this process's own.
    package var directory: String?
    /// A session of its own: signals of the terminal do not reach it.
    package var newSession = false
    /// A process group of its own in the same session.
    package var newProcessGroup = false
    /// Without any capability, for good.
    package var dropsCapabilities = false
    /// Whom it is, with no further group; both 0: whoever this process is. Needs the right to become another.
    package var user: UInt32 = 0
    package var group: UInt32 = 0
    /// The kernel kills it when the thread that started it ends: with this process at the latest, however that ends.
    package var diesWithThread = false
    /// Its descriptor 0 is a terminal, and becomes that of its session, which has to be its own.
    package var hasTerminal = false

    package init() {}

    /// Starts it.
    ///
    /// - Throws: ``SystemError`` if it cannot be executed: then nothing was started.
    package func spawn(_ program: String, _ arguments: [String]) throws(SystemError) -> (pid: Int32, pidfd: Int32) {
        var pid: Int32 = 0
        var pidfd: Int32 = -1
        let mappings = descriptors.map { vk_descriptor_mapping(source: $0.value, target: $0.key) }
        let result = withCStrings([program] + arguments) { argumentPointers in
            withCStrings(environment) { environmentPointers in
                program.withCString { path in
                    mappings.withUnsafeBufferPointer { mappings in
                        withOptionalCString(directory) { directory in
                            var options = vk_spawn_options(
                                path: path, arguments: argumentPointers, environment: environmentPointers,
                                directory: directory, network_namespace: networkNamespace ?? -1,
                                descriptors: mappings.baseAddress, descriptor_count: mappings.count,
                                new_session: newSession, new_process_group: newProcessGroup,
                                drop_capabilities: dropsCapabilities, user: user, group: group,
                                die_with_thread: diesWithThread,
                                controlling_terminal: hasTerminal)
                            return vk_spawn(&options, &pid, &pidfd)
                        }
                    }
                }
            }
        }
        guard result == 0 else { throw SystemError("start \(program)") }
        return (pid, pidfd)
    }
}
