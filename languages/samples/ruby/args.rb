ARGV.each_with_index { |argument, index| puts "Arg #{index}: #{argument}" }
