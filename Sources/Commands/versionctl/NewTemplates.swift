/// The files of a new package. `__NAME__` stands for the application, `__TYPE__` for the name of its types, and
/// `__DEPENDENCY__` for where VersionKit is.
enum NewTemplates {
    static let files: [(path: String, text: String)] = [
        ("Package.swift", package),
        ("README.md", readme),
        ("release.json", release),
        (".gitignore", ".build/\nroot/\n*.key\n"),
        ("Sources/__TYPE__Adapter/__TYPE__Adapter.swift", adapter),
        ("Sources/__NAME__-proxy/__TYPE__Proxy.swift", proxy),
        ("Tests/__TYPE__AdapterTests/__TYPE__AdapterTests.swift", tests),
    ]

    private static let package = """
        // swift-tools-version: 6.2
        import PackageDescription

        let versionkit = Target.Dependency.product(name: "VersionKit", package: "versionkit")
        let testing = Target.Dependency.product(name: "VersionKitTesting", package: "versionkit")

        let package = Package(
            name: "__NAME__-adapter",
            dependencies: [.package(__DEPENDENCY__)],
            targets: [
                .target(name: "__TYPE__Adapter", dependencies: [versionkit]),
                .executableTarget(name: "__NAME__-proxy", dependencies: ["__TYPE__Adapter", versionkit]),
                .testTarget(name: "__TYPE__AdapterTests", dependencies: ["__TYPE__Adapter", versionkit, testing]),
            ]
        )

        """

    private static let proxy = """
        import VersionKit
        import __TYPE__Adapter

        /// The application proxy: all of it, but for the adapter, is VersionKit's.
        @main
        struct __TYPE__Proxy {
            static func main() async throws { try await ProxyProcess.run(__TYPE__Adapter()) }
        }

        """

    private static let release = """
        {
            "application": "__NAME__", "version": 1, "name": "1.0",
            "ports": { "client": [7000] },
            "files": "root",
            "start": ["/opt/__NAME__/__NAME__", "--port", "7000"],
            "health": { "port": 7000 },
            "proxy": "/opt/__NAME__/__NAME__-proxy"
        }

        """

    private static let readme = """
        # __NAME__, upgraded while it runs

        An adapter for [VersionKit](https://github.com/versionkit/versionkit). What is here works, for a protocol of lines:
        `get KEY`, `set KEY VALUE`. Make it yours:

        1. `swift test`.
        2. `Sources/__TYPE__Adapter`: say how your messages are framed (`parseRequest`, `parseReply`), which versions a
           request goes to (`dispatch`), and what a reply means (`judge`). Keep it pure: no clock, no chance, no files.
        3. `Tests/__TYPE__AdapterTests`: your protocol's requests and replies, byte by byte too.
        4. `release.json`: your ports and your program. Put the program and the proxy into the directory `root`:

               swift build --configuration release --static-swift-stdlib --product __NAME__-proxy
               install -D .build/release/__NAME__-proxy root/opt/__NAME__/__NAME__-proxy

        5. Make the release, and give it to a node that runs `versiond`:

               versionctl release keys --output publisher.key
               versionctl release make release.json --key publisher.key --output __NAME__-1
               versionctl release publish __NAME__-1
               versionctl status --watch

        The next version has another number in `release.json`, and says which one it replaces: `"replaces": 1`. If your
        state is a set of keys, conform to `KeyedAdapter`: then the library copies it, under live writes.

        """
}
