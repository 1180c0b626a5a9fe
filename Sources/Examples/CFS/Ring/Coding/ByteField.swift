/// The field with 256 elements, each of them a byte: sums are exclusive ors, products go by a table.
///
/// The polynomials of degree 7 over two elements modulo x^8 + x^4 + x^3 + x^2 + 1, of which x is a generator.
enum ByteField {
    private static let polynomial = 0x11D

    /// All products: the row of a factor has 256 bytes.
    static let products: [UInt8] = {
        var (powers, logarithms) = ([Int](repeating: 0, count: 510), [Int](repeating: 0, count: 256))
        var power = 1
        for exponent in 0..<255 {
            (powers[exponent], powers[exponent + 255], logarithms[power]) = (power, power, exponent)
            power <<= 1
            if power > 255 { power ^= polynomial }
        }
        var products = [UInt8](repeating: 0, count: 65_536)
        for left in 1..<256 {
            for right in 1..<256 { products[left << 8 | right] = UInt8(powers[logarithms[left] + logarithms[right]]) }
        }
        return products
    }()

    static func product(_ left: UInt8, _ right: UInt8) -> UInt8 { products[Int(left) << 8 | Int(right)] }

    /// The element that makes one of this one; zero has none.
    static func inverse(_ element: UInt8) -> UInt8 {
        precondition(element != 0, "zero has no inverse")
        // 255 elements other than zero: the 254th power.
        var (result, square) = (UInt8(1), element)
        for _ in 0..<7 {
            square = product(square, square)
            result = product(result, square)
        }
        return result
    }

    /// Adds `factor` times these bytes to those.
    static func add(_ factor: UInt8, times bytes: UnsafeBufferPointer<UInt8>, to sum: UnsafeMutableBufferPointer<UInt8>)
    {
        guard factor != 0 else { return }
        let count = min(bytes.count, sum.count)
        var index = 0
        if factor == 1 {
            while index < count {
                sum[index] ^= bytes[index]
                index &+= 1
            }
            return
        }
        products.withUnsafeBufferPointer { products in
            let row = Int(factor) << 8
            while index < count {
                sum[index] ^= products[row | Int(bytes[index])]
                index &+= 1
            }
        }
    }
}
