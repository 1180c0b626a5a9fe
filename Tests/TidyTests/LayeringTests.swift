import Foundation
import Testing

/// The rings of docs/ARCHITECTURE.md, as far as the compiler does not see to them: it refuses an undeclared dependency,
/// but not Foundation, nor what is reached through another module.
///
/// Method: read the import lines and the code of every folder; no building.
@Suite("Layering")
struct LayeringTests {
    /// The pure modules of Sources/VersionKit.
    static let pureLayers = ["Model", "Wire", "Proxy", "Framing", "Router", "Upgrade"]

    /// Those outside of it, by their folders.
    static let otherPureModules = [
        "ONCRPC": "Sources/ONCRPC", "CFSModel": "Sources/Examples/CFS/Model",
        "CFSProtocol": "Sources/Examples/CFS/Protocol", "CFSProtocol1": "Sources/Examples/CFS/Protocol1",
        "CFSProtocol2": "Sources/Examples/CFS/Protocol2", "CFSRing": "Sources/Examples/CFS/Ring",
        "CFSSimulation": "Sources/Examples/CFS/Simulation", "CFSFiles": "Sources/Examples/CFS/Files",
        "CFSBlocks": "Sources/Examples/CFS/Blocks", "CFSGeneration1": "Sources/Examples/CFS/Generation1",
        "CFSGeneration2": "Sources/Examples/CFS/Generation2",
        "NFS3": "Sources/Examples/CFS/NFS3",
    ]

    /// Folders that hold values and state machines.
    static let pureFolders = pureLayers.map { "Sources/VersionKit/\($0)" } + otherPureModules.values.sorted()

    /// What they may import: nothing that has sockets, clocks, tasks or files.
    static let pureImports: Set<String> =
        Set(pureLayers.map { "VersionKit\($0)" }).union(otherPureModules.keys)
        .union(["Swift", "Synchronization", "NIOCore", "DequeModule", "OrderedCollections"])

    /// CFS names blocks by their digests.
    private static func pureImports(of folder: String) -> Set<String> {
        folder.hasPrefix("Sources/Examples/") ? pureImports.union(["Crypto"]) : pureImports
    }

    @Test("a pure folder imports only what is pure", arguments: pureFolders)
    func pureFoldersImportOnlyPureModules(folder: String) {
        let allowed = Self.pureImports(of: folder)
        for file in Repository.files(under: folder, suffix: ".swift") {
            for (number, module) in imports(of: file) where !allowed.contains(module) {
                Issue.record(
                    """
                    \(file.path):\(number): imports \(module) in the pure ring. Move what needs it to an effects module \
                    (Transport, Releases, Isolation, Journal), or take the value it was needed for as an argument.
                    """)
            }
        }
    }

    /// Protocols that are a library of their own.
    private static let protocolModules: Set = ["ONCRPC", "ONCRPCSockets"]

    @Test("an adapter imports only the umbrella, its application's own modules, and libraries of protocols")
    func adaptersImportOnlyTheUmbrella() {
        for file in Repository.files(under: "Sources/Adapters", suffix: ".swift") {
            // Its own modules are named after its folder: IrisLogMessages, CFSProtocol1.
            let adapter = String(file.path.split(separator: "/")[2])
            for (number, module) in imports(of: file)
            where module != "VersionKit" && !module.hasPrefix(adapter) && !Self.protocolModules.contains(module) {
                Issue.record(
                    """
                    \(file.path):\(number): imports \(module). An adapter imports VersionKit, its application's modules and \
                    libraries of protocols, nothing else: what it lacks belongs behind VersionKit's API.
                    """)
            }
        }
    }

    /// What makes two runs of a state machine differ. Time comes in as an argument, randomness as a generator.
    static let impureCode: [(pattern: String, advice: String)] = [
        (#"\.now\b"#, "take the time as an argument: `at now:`"),
        (#"\bTask\.sleep\b"#, "return a deadline; the shell waits for it"),
        (#"\b(Continuous|Suspending|Test)Clock\b"#, "take the time as an argument: `at now:`"),
        (#"\bDate\("#, "take the time as an argument: `at now:`"),
        (#"\bDispatchTime\b"#, "take the time as an argument: `at now:`"),
        (#"\bSystemRandomNumberGenerator\b"#, "take `inout some RandomNumberGenerator`"),
        (#"\.(random|shuffled|shuffle|randomElement)\((?!.*\busing:)"#, "pass the generator: `using: &random`"),
    ]

    @Test("a pure folder knows neither clock nor chance", arguments: pureFolders)
    func pureFoldersAreDeterministic(folder: String) throws {
        let rules = try Self.impureCode.map { (try NSRegularExpression(pattern: $0.pattern), $0.advice) }
        for file in Repository.files(under: folder, suffix: ".swift") {
            for (number, line) in file.lines {
                let code = String(code(of: line))
                for (pattern, advice) in rules where pattern.matches(code) {
                    Issue.record("\(file.path):\(number): `\(code.trimmed)` is not deterministic; \(advice).")
                }
            }
        }
    }

    /// Where the time of day is read: for people, for what publishers and adapters say of days, and, by `NodeTime`, for other
    /// nodes. Whatever lasts is measured by a clock that nobody can set.
    static let timeOfDayFiles: Set<String> = [
        "Sources/Commands/versionctl/Ports.swift", "Sources/Commands/versionctl/Trust.swift",
        "Sources/Commands/versiond/JSONLog.swift", "Sources/VersionKit/Node/NodeTime.swift",
        "Sources/VersionKit/Transport/Proxy/ProxyServer.swift",
    ]

    @Test("nothing is measured by a clock that can be set")
    func timeOfDayIsReadInFewPlaces() throws {
        let reading = try NSRegularExpression(
            pattern: #"\bCLOCK_REALTIME|\bDate\(\)|\bDate\.now\b|\btime\(nil\)|\bgettimeofday\b|\bDispatchWallTime\b"#)
        let files = ["Sources/VersionKit", "Sources/Commands"].flatMap { Repository.files(under: $0, suffix: ".swift") }
        for file in files where !Self.timeOfDayFiles.contains(file.path) {
            for (number, line) in file.lines where reading.matches(String(code(of: line))) {
                Issue.record(
                    """
                    \(file.path):\(number): reads the time of day, which may jump. Measure by ContinuousClock or `elapsed`; if \
                    it has to be the day, say so in `timeOfDayFiles`.
                    """)
            }
        }
    }

    /// The modules that a file imports, `import struct A.B` and `@testable public import A.B` included.
    private func imports(of file: RepositoryFile) -> [(line: Int, module: String)] {
        file.lines.compactMap { number, line in
            var words = code(of: line).split { $0 == " " || $0 == "\t" }[...]
            let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
            while let word = words.first, word.hasPrefix("@") || modifiers.contains(word) { words.removeFirst() }
            guard words.popFirst() == "import" else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
            if let kind = words.first, kinds.contains(kind) { words.removeFirst() }
            return words.first?.split(separator: ".").first.map { (number, String($0)) }
        }
    }
}

extension NSRegularExpression {
    func matches(_ text: String) -> Bool {
        firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
    }
}

extension String {
    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
