internal import VersionKitModel

/// How a version is started, out of what its description says and, where that is silent, its image.
struct ImageStart {
    /// Where programs are looked for that are named without a directory, if the image does not say.
    private static let pathDefault = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    let image: ContainerImage?
    private let tree: ImageTree

    init(_ image: ContainerImage?) {
        self.image = image
        tree = ImageTree(layers: (image?.layers ?? []).reversed().map(\.directory))
    }

    /// Completes a manifest.
    ///
    /// - Throws: ``ReleaseError``: for a user, or a program of the image's command, that the image does not have.
    func complete(_ manifest: inout ReleaseManifest, for description: ReleaseDescription) throws(ReleaseError) {
        var settings = StartSettings()
        settings.environment = Self.merge(image?.environment ?? [], description.environment ?? [])
        let directory = description.workingDirectory ?? image?.workingDirectory ?? ""
        settings.workingDirectory = directory.isEmpty ? nil : directory
        let user = try ImageUser(
            description.user ?? image?.user ?? "", users: tree.text("/etc/passwd"), groups: tree.text("/etc/group"))
        settings.user = user.user
        if manifest.start.isEmpty { manifest.start = try command(settings, description) }
        if !user.user.isRoot, let home = user.home {
            settings.environment = Self.merge(["HOME=\(home)"], settings.environment)
        }
        manifest.startSettings = settings == StartSettings() ? nil : settings
    }

    private func command(
        _ settings: StartSettings, _ description: ReleaseDescription
    ) throws(ReleaseError) -> [String] {
        guard let image, let name = image.command.first else {
            throw DescriptionReader.mistake(
                description.file, "neither the description nor its image says how to start the version",
                remedy: "write \"start\", or give the image an ENTRYPOINT")
        }
        let paths: [String]
        if name.hasPrefix("/") {
            return image.command
        } else if name.contains("/") {
            paths = [settings.workingDirectory ?? ""]
        } else {
            let variable = settings.environment.first { $0.hasPrefix("PATH=") }?.dropFirst(5)
            paths = (variable.map(String.init) ?? Self.pathDefault).split(separator: ":").map(String.init)
        }
        let relative = name.hasPrefix("./") ? String(name.dropFirst(2)) : name
        guard let path = paths.map({ "\($0 == "/" ? "" : $0)/\(relative)" }).first(where: { tree.file($0) != nil })
        else {
            throw ReleaseError(
                .notFound, "the image is to be started by '\(name.prefix(60))', which is in none of \(paths)",
                side: .publisher, remedy: "write \"start\" in \(description.file) with the program's whole path")
        }
        return [path] + image.command.dropFirst()
    }

    /// Variables, the later ones in place of earlier ones of the same name.
    private static func merge(_ earlier: [String], _ later: [String]) -> [String] {
        let names = Set(later.map { $0.prefix { $0 != "=" } })
        return earlier.filter { !names.contains($0.prefix { $0 != "=" }) } + later
    }
}
