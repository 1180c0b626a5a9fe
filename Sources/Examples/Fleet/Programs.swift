import Glibc

/// Where the built programs are.
package enum Programs {
    /// The directory of the running program, which is that of all others.
    ///
    /// Tests are run by a program of the toolchain, which gets the path of their bundle.
    package static func directory() throws -> String {
        if let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") && $0.contains("/") }) {
            return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)])
        }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { throw FleetError("the path of this program is unknown") }
        let path = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
