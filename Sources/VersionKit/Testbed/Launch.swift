internal import CLinux
internal import Glibc

/// How a process is to be started.
struct Launch {
    var executable: String
    var arguments: [String]
    /// Nil: that of this process.
    var environment: [String: String]?
    var directory: String?
    var networkNamespace: Int32 = -1
    /// What the child's descriptors are made from. 0, 1 and 2 are this process's if not mentioned.
    var descriptors: [(source: Int32, target: Int32)] = []

    /// Starts it, as the leader of a process group.
    func start() throws(TestbedError) -> (pid: Int32, handle: Descriptor) {
        let path = try findExecutable()
        var pid: pid_t = 0
        var handle: Int32 = -1
        let strings = CStrings([executable] + arguments)
        let variables = environment.map { CStrings($0.map { "\($0.key)=\($0.value)" }) }
        let mappings = descriptors.map { vk_descriptor_mapping(source: $0.source, target: $0.target) }
        let result = withExtendedLifetime((strings, variables)) {
            mappings.withUnsafeBufferPointer { mappings in
                path.withCString { path in
                    withOptionalCString(directory) { directory in
                        var options = vk_spawn_options(
                            path: path, arguments: strings.pointers, environment: variables?.pointers,
                            directory: directory, network_namespace: networkNamespace,
                            descriptors: mappings.baseAddress, descriptor_count: mappings.count,
                            new_session: false, new_process_group: true, drop_capabilities: false)
                        return vk_spawn(&options, &pid, &handle)
                    }
                }
            }
        }
        if result < 0 { throw TestbedError.system("cannot start \(path)") }
        return (pid, Descriptor(handle))
    }

    // An ordinary user's PATH often lacks the folders where ip and its like are.
    private func findExecutable() throws(TestbedError) -> String {
        if executable.contains("/") { return executable }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        for folder in (path + ":/usr/sbin:/sbin").split(separator: ":") {
            let candidate = "\(folder)/\(executable)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw TestbedError(.command, "there is no program \(executable) in \(path)")
    }
}

/// A null-terminated array of C strings, as exec takes it.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result)
    -> Result
{
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
