import Glibc
import VersionKitProcesses

// What backends do with the node's files and programs.

/// Makes a directory that may be there already.
func make(_ path: String) throws(IsolationError) {
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("make the directory \(path)") }
}

/// Removes a directory with all that is in it on the same file system.
func removeTree(_ path: String) async throws(IsolationError) {
    if access(path, F_OK) == 0 { try await execute("rm", ["-rf", "--one-file-system", path]) }
}

/// The names in a directory; none if it is not there.
func namesOfFiles(in path: String) throws(IsolationError) -> [String] {
    guard let directory = opendir(path) else {
        if errno == ENOENT { return [] }
        throw .system("list \(path)")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Runs a program that has to succeed.
///
/// - Returns: what it printed.
@discardableResult
func execute(
    _ program: String, _ arguments: [String], input: String = "", networkNamespace: Int32? = nil
) async throws(IsolationError) -> String {
    let result: Command.Result
    do throws(SystemError) {
        result = try await Command.run(program, arguments, input: input, networkNamespace: networkNamespace)
    } catch {
        throw IsolationError("\(error)")
    }
    guard result.exit.isSuccess else {
        throw IsolationError("\(program) ended with \(result.exit): \(result.output.split(separator: "\n").last ?? "")")
    }
    return result.output
}
