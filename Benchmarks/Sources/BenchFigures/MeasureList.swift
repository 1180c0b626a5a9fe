/// The numbers behind `--only`.
package enum MeasureList {
    /// Those that were asked for, of so many that there are; all if nobody asked. `nil`: the text is no list of them.
    package static func chosen(_ only: String?, of count: Int) -> Set<Int>? {
        guard let only else { return Set(1...count) }
        let numbers = only.split(separator: ",", omittingEmptySubsequences: false).map { word in
            Int(String(word.trimmingPrefix(while: \.isWhitespace)))
        }
        let known = numbers.compactMap(\.self).filter((1...count).contains)
        return known.count == numbers.count ? Set(known) : nil
    }
}
