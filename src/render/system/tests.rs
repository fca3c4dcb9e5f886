//! No value breaks out of a file: the scalar or the template refuses it, or a reader of the format finds it.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::System;
use crate::plan::preparation::{LogrotatePlan, ModulePlan, NtpPlan, SettingPlan};
use crate::render::{Renderer, templates::Templates};
use crate::spec::scalars::{LogPattern, ModuleName, NtpServer, SysctlKey, SysctlValue, TimezoneName};
use minijinja::value::Serde;
use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};
use std::str::FromStr;

fn render(path: &str, context: &System) -> Option<String> {
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    renderer.environment.get_template(path).unwrap().render(Serde(context)).ok()
}

/// Lines that say something, in files whose comments begin with `#` or `;`.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])).collect()
}

/// A scalar may refuse a text; the template must then not be worse than to refuse it, too.
fn check<T: FromStr + ToString>(text: &str, rendered: Option<&str>, expected: &[String]) {
    match (text.parse::<T>(), rendered) {
        (Ok(_), None) => assert_eq!(text, "", "a scalar takes what its file cannot hold"),
        (_, Some(found)) => assert_eq!(lines(found), expected),
        (Err(_), None) => {}
    }
}

/// What somebody would try: text of characters that mean something somewhere, or any.
fn hostile() -> impl Strategy<Value = String> {
    let signs = "[a-z0-9./*:;#=\"'%$`{}\\[\\]|&<>\\\\ \\t\\r\\n\u{0}\u{a0}\u{2028}]{1,20}";
    prop::strategy::Union::new([
        signs.prop_filter_map("of a scalar", Some).boxed(),
        any::<String>().boxed(),
        "[a-z][a-z0-9_-]{0,9}(\\.[a-z0-9_/-]{1,9}){1,3}".boxed(),
        "/[a-z*.@:+-]{1,9}(/[a-z*._]{1,9}){0,3}".boxed(),
    ])
}

proptest! {
    #[test]
    fn settings(key in hostile(), value in hostile()) {
        let (Ok(key), Ok(value)) = (key.parse::<SysctlKey>(), value.parse::<SysctlValue>()) else { return Ok(()) };
        let setting = SettingPlan { key: key.to_string(), value: value.to_string(), why: "of a test" };
        let text = render("/etc/sysctl.d/90-sealift.conf", &System::Settings { settings: vec![setting] });
        let text = text.unwrap();
        let (own, found) = lines(&text).first().unwrap().split_once('=').unwrap();
        prop_assert_eq!(lines(&text).len(), 1);
        prop_assert_eq!((own.trim(), found.trim()), (key.as_str(), value.as_str()));
    }

    #[test]
    fn values_of_settings(value in hostile()) {
        let Ok(value) = value.parse::<SysctlValue>() else { return Ok(()) };
        let setting = SettingPlan { key: "kernel.domainname".into(), value: value.to_string(), why: "of a test" };
        let text = render("/etc/sysctl.d/90-sealift.conf", &System::Settings { settings: vec![setting] });
        let text = text.unwrap();
        prop_assert_eq!(lines(&text), [format!("kernel.domainname = {value}")]);
    }

    #[test]
    fn modules(name in hostile()) {
        let modules = vec![ModulePlan { name: name.clone(), why: "of a test" }];
        let text = render("/etc/modules-load.d/sealift.conf", &System::Modules { modules });
        check::<ModuleName>(&name, text.as_deref(), std::slice::from_ref(&name));
    }

    #[test]
    fn zones(name in hostile()) {
        let text = render("/etc/tmpfiles.d/sealift-timezone.conf", &System::Timezone { name: name.clone() });
        let line = format!("L+ /etc/localtime - - - - ../usr/share/zoneinfo/{name}");
        check::<TimezoneName>(&name, text.as_deref(), &[line]);
    }

    #[test]
    fn servers(name in hostile()) {
        let plan = NtpPlan { file: "", servers: vec![name.clone()] };
        let text = render("/etc/chrony/sources.d/sealift.sources", &System::Ntp(plan.clone()));
        check::<NtpServer>(&name, text.as_deref(), &[format!("server {name} iburst")]);
        let text = render("/etc/systemd/timesyncd.conf.d/90-sealift.conf", &System::Ntp(plan));
        let expected = ["[Time]".to_owned(), "NTP=".to_owned(), format!("NTP={name}")];
        check::<NtpServer>(&name, text.as_deref(), &expected);
    }

    #[test]
    fn patterns(pattern in hostile()) {
        let Ok(pattern) = pattern.parse::<LogPattern>() else { return Ok(()) };
        let plan = LogrotatePlan { paths: vec![pattern.to_string()], keep: 1, size: 1 };
        let text = render("/etc/logrotate.d/sealift", &System::Logrotate(plan)).unwrap();
        let expected = [pattern.as_str(), "{", "size 1", "rotate 1", "missingok", "notifempty", "compress",
            "delaycompress", "copytruncate", "}"];
        prop_assert_eq!(lines(&text), expected);
        prop_assert_eq!(pattern.as_str().split_whitespace().count(), 1);
    }
}
