import Glibc

/// Programs that are built into the folder of the tests.
enum Programs {
    static func path(_ name: String) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count)
        let own = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Under `swift test` the tests are loaded by a helper of the toolchain, which gets their path.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") && $0.contains("/") }
        return folder(of: bundle ?? own) + "/" + name
    }

    static func folder(of path: String) -> String { path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } }
}
