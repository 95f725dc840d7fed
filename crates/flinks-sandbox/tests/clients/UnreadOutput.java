// A server whose output is never read after the ready line answers 3,000 requests, and SIGTERM ends it.

import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

class UnreadOutput {
  public static void main(String[] arguments) throws Exception {
    Process server = new ProcessBuilder(arguments[0], "sandbox", "--json").start();
    try {
      String ready = server.inputReader().readLine();
      Path dir = Path.of(field(ready, "dir"));
      HttpClient client = HttpClient.newBuilder().sslContext(trust(dir.resolve("ca.pem"))).build();
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(field(ready, "results_url") + "/unknown"))
              .timeout(Duration.ofSeconds(5))
              .build();
      for (int n = 0; n < 3000; n++) {
        require(client.send(request, BodyHandlers.ofString()).statusCode() == 404, "not 404");
      }
      server.destroy(); // SIGTERM
      require(server.waitFor(1, TimeUnit.SECONDS), "SIGTERM does not end it within a second");
      require(server.exitValue() == 0, "exit status " + server.exitValue());
      require(Files.notExists(dir), "the folder is still there");
    } finally {
      server.destroyForcibly();
    }
  }

  static SSLContext trust(Path ca) throws Exception {
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    try (var pem = new FileInputStream(ca.toFile())) {
      roots.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(roots);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  static String field(String json, String name) {
    return json.replaceAll(".*\"" + name + "\": *\"([^\"]*)\".*", "$1");
  }

  static void require(boolean isTrue, String message) {
    if (!isTrue) {
      throw new IllegalStateException(message);
    }
  }
}
