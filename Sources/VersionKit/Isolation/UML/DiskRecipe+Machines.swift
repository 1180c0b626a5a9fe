import Glibc
import VersionKitModel
import VersionKitProcesses

// The images that machines have.
extension DiskRecipe {
    /// The file system that a version sees, with room for what it writes.
    static func layers(of specification: EnvironmentSpecification) -> DiskRecipe {
        var recipe = DiskRecipe(directories: specification.layers)
        recipe.spareBytes = specification.limits.diskBytes ?? UMLBackend.diskBytes
        // Where the node has links instead of directories, so has the machine.
        for path in UMLMachine.nodeDirectories {
            var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &target, target.count)
            if count > 0 { recipe.links.append((path, String(decoding: target[..<count], as: UTF8.self))) }
        }
        return recipe
    }

    /// What a machine boots from: the agent, and what its kernel lacks.
    static func bootDisk(
        of specification: EnvironmentSpecification, kernel: String
    ) async throws(IsolationError) -> DiskRecipe {
        var recipe = DiskRecipe()
        recipe.files = [(UMLMachine.agent, specification.tools.agent)]
        recipe.emptyDirectories = ["/dev", "/root", "/proc", "/proc/self", UMLMachine.groups]
        // The Swift runtime looks for its program before that can have mounted /proc.
        recipe.links = [("/proc/self/exe", UMLMachine.agent)]
        let version = try await execute(kernel, ["--version"]).split(separator: "\n").last ?? ""
        for module in ["net/ipv6/ipv6", "lib/crc-ccitt"] {
            let path = "/usr/lib/uml/modules/\(version)/kernel/\(module).ko"
            let name = module.split(separator: "/").last ?? ""
            if access(path, R_OK) == 0 { recipe.files.append(("/modules/\(name).ko", path)) }
        }
        return recipe
    }
}
