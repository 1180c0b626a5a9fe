import Glibc

/// Where the programs that belong to this versiond are.
struct Installation: Sendable {
    /// versiond itself.
    let program: String
    /// The agent inside environments.
    let agent: String
    /// The command-line tool, which appears inside environments.
    let versionctl: String
    /// The directory of the Swift runtime that these programs are linked against, if it is not within them.
    let runtime: String?

    /// The installation that the running program belongs to.
    static func current() throws(NodeError) -> Installation {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else {
            throw NodeError("the path of versiond is unknown: \(String(cString: strerror(errno)))")
        }
        var program = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        // Another file is there by now, or none.
        if program.hasSuffix(" (deleted)") { program.removeLast(10) }
        let directory = String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
        let installation = Installation(
            program: program, agent: directory + "/versionkit-environment",
            versionctl: directory + "/versionctl",
            runtime: runtimeDirectory())
        for path in [installation.agent, installation.versionctl] where access(path, X_OK) != 0 {
            throw NodeError("\(path) is missing: it belongs beside versiond")
        }
        return installation
    }

    /// The directory that the dynamic linker took the Swift runtime from.
    private static func runtimeDirectory() -> String? {
        guard let maps = fopen("/proc/self/maps", "re") else { return nil }
        defer { fclose(maps) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, maps) > 0, let pointer = line {
            let text = String(cString: pointer)
            guard let start = text.firstIndex(of: "/"), let end = text.range(of: "/libswiftCore.so")?.lowerBound
            else { continue }
            return String(text[start..<end])
        }
        return nil
    }
}

extension String {
    /// The first place where `other` stands.
    fileprivate func range(of other: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
