import Glibc
import VersionKitProcesses

/// Writes a small file.
package func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "we") else { throw SystemError("write \(path)") }
    let isWritten = fputs(text, file) >= 0
    guard fclose(file) == 0, isWritten else { throw SystemError("write \(path)") }
}

/// Makes a directory, unless there is one.
package func makeDirectory(_ path: String) throws {
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw SystemError("make the directory \(path)") }
}
