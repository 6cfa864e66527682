import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools in one Java VM, because each start of Java takes a second or two.
 *
 * <p>A request is a line on standard input: the tool's class and its arguments, separated by tabs. The response is a
 * line with the exit code and the lengths of the tool's standard output and standard error, followed by those bytes.
 */
public final class Tools {
    /** Ends a tool instead of the process. */
    private static final class Exited extends RuntimeException {
        Exited(int code) {
            super("exit " + code, null, false, false);
        }
    }

    /** The first exit code of the running tool; null before its exit. */
    private static volatile Integer firstCode;

    public static void main(String[] none) throws Exception {
        PrintStream answers = System.out;
        List<Runnable> atExit = new ArrayList<>();
        Exit.Procedure exit = (code, message) -> {
            // A tool that catches this exits again with another code, so the first one counts.
            firstCode = firstCode == null ? (Integer) code : firstCode;
            throw new Exited(code);
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        // Work for the end of the process is done at the end of the tool.
        Exit.setShutdownHookAdder((name, hook) -> atExit.add(hook));

        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] words = line.split("\t", -1);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            PrintStream toOut = new PrintStream(out, true, StandardCharsets.UTF_8);
            PrintStream toErr = new PrintStream(err, true, StandardCharsets.UTF_8);
            System.setOut(toOut);
            System.setErr(toErr);
            int code;
            // Open until the end, because classes are loaded on demand.
            try (Fresh loader = new Fresh()) {
                code = run(loader, words[0], Arrays.copyOfRange(words, 1, words.length));
                for (Runnable hook : atExit) {
                    try {
                        hook.run();
                    } catch (Exited ended) {
                        // The hook has done its work.
                    }
                }
            }
            atExit.clear();
            toOut.flush();
            toErr.flush();
            answers.println(code + " " + out.size() + " " + err.size());
            out.writeTo(answers);
            err.writeTo(answers);
            answers.flush();
        }
    }

    private static int run(ClassLoader loader, String tool, String[] arguments) {
        firstCode = null;
        int code = 0;
        try {
            Class.forName(tool, true, loader).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException wrapped) {
            code = 1;
            if (!(wrapped.getCause() instanceof Exited)) {
                wrapped.getCause().printStackTrace();
            }
        } catch (ReflectiveOperationException problem) {
            problem.printStackTrace();
            code = 127;
        }
        return firstCode == null ? code : firstCode;
    }

    /** Loads the tools' own classes again for each run, because some of them count in static fields. */
    private static final class Fresh extends URLClassLoader {
        Fresh() {
            super(jars(), Tools.class.getClassLoader());
        }

        private static URL[] jars() {
            return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                    .filter(jar -> jar.contains("kafka-tools-"))
                    .map(Fresh::url)
                    .toArray(URL[]::new);
        }

        private static URL url(String jar) {
            try {
                return Path.of(jar).toUri().toURL();
            } catch (MalformedURLException impossible) {
                throw new IllegalStateException(impossible);
            }
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                if (name.startsWith("org.apache.kafka.tools.") && findLoadedClass(name) == null) {
                    try {
                        return findClass(name);
                    } catch (ClassNotFoundException elsewhere) {
                        // The tools' interfaces are in another jar.
                    }
                }
                return super.loadClass(name, resolve);
            }
        }
    }
}
